import { statSync } from 'node:fs'
import type { StartReport } from '../../../kernel/feature.ts'
import { readTemplates } from './read.ts'

/** Whether the folder of templates can be used. */
export function lookAtTemplates(folder: string, report: StartReport): void {
  const at = ['notifier', 'template_path']
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    report.fault(at, `the folder ${folder} does not exist`)
    return
  }
  for (const { file, line, problem } of readTemplates(folder).problems)
    report.faultIn({ source: file, ...(line !== undefined && { line }), path: '' }, problem)
}
