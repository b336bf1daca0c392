import { oneLine } from '../addresses.ts'
import type { Mail, Notification } from '../notification.ts'
import type { Templates } from './read.ts'
import { asHtml, asText, render, type Value } from './render.ts'

export { readTemplates, type Templates } from './read.ts'

/** The mail of a notification. Nothing that a field holds can begin a line or a header. */
export function composeMail(notification: Notification, templates: Templates, id: string): Mail {
  const { kind, subject, to } = notification
  const title = oneLine(subject)
  const name = oneLine(to.name)
  const data = {
    ...Object.fromEntries(
      Object.entries(notification.fields).map(([key, value]) => [capital(key), cleaned(value)]),
    ),
    Title: title,
    DisplayName: name || to.address,
  }
  return {
    id,
    to: { name, address: to.address },
    title,
    text: render(templates[kind].txt, data, asText).trim(),
    html: render(templates[kind].html, data, asHtml),
  }
}

const capital = (key: string): string => `${key.charAt(0).toUpperCase()}${key.slice(1)}`

const cleaned = (value: string | Readonly<Record<string, string>> | undefined): Value =>
  typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).map(([key, text]) => [oneLine(key), oneLine(text)]))
    : oneLine(value ?? '')
