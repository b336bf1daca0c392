/** Adds one to the number in a file, over and over, as two servers change the same users file. */
import { readFileText } from '../../src/features/users/backends/file/disk.ts'
import { replaceFile } from '../../src/files/atomic-write.ts'

const [path = '', times = '0'] = process.argv.slice(2)
for (let added = 0; added < Number(times); ) {
  const file = await readFileText(path)
  if (file.kind !== 'text') throw new Error(file.kind)
  const outcome = await replaceFile(path, `${Number(file.text) + 1}`, file.stamp)
  if (outcome === 'replaced') added++
}
