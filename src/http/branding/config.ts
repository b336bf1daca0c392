import { z } from 'zod'
import { filePath } from '../../kernel/scalars.ts'

const HEX = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i
const MAX_LINKS = 8

const colour = () => z.string().regex(HEX, { error: 'is no colour; six hex digits, in quotes' })

/** An https or http address, or a path of this host. Nothing that runs a script. */
const address = () =>
  z
    .string()
    .max(2048)
    .refine(
      (text) => /^https?:\/\/[^\s<>"\\]+$/i.test(text) || /^\/[^/\\\s<>"][^\s<>"\\]*$/.test(text),
      {
        error: 'is no address',
        params: { allowed: 'https://www.example.com/privacy, or /privacy' },
      },
    )

/** What may be said for all domains, and again for each. */
const shape = {
  title: z.string().min(1).max(64),
  accent: colour()
    .optional()
    .describe(
      "The colour of buttons: `'#3454d1'`, quoted, as YAML reads # as a comment. The text on it is white or black, whichever is easier to read. Links take it too, made darker or lighter where it would be hard to read.",
    ),
  logo: filePath()
    .optional()
    .describe('A picture in place of our mark: SVG, PNG or WebP, at most 64 KiB.'),
  background: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .describe(
      "What lies behind the card: a colour (`'#f4f1ea'`, quoted), or a picture: SVG, PNG, JPEG or WebP, at most 512 KiB.",
    ),
  stylesheet: filePath()
    .optional()
    .describe(
      'A CSS file of yours, added to ours, at most 32 KiB. It may load nothing: the policy of the pages forbids it.',
    ),
  links: z
    .array(z.strictObject({ title: z.string().min(1).max(64), url: address() }))
    .max(MAX_LINKS)
    .optional()
    .describe('Links at the foot of each page, such as to a privacy policy.'),
} as const

/** `branding` */
export const brandingConfig = z.strictObject({
  ...shape,
  title: shape.title
    .default('Vestibule')
    .describe('The name above the sign-in form and in the title of the window.'),
})

/** `session.cookies[].branding` */
export const domainBrandingConfig = z.strictObject({
  ...shape,
  title: shape.title.optional().describe('As `branding.title`, for this domain.'),
})

export type BrandingConfig = z.infer<typeof brandingConfig>
export type DomainBrandingConfig = z.infer<typeof domainBrandingConfig>

/** Whether a background is a colour and no file. */
export const isColour = (text: string): boolean => HEX.test(text)
