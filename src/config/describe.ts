import type { Known, Leaf } from './known.ts'

/** Whether a single value may stand there, in the words of the reference. */
export function describe(node: Known): string {
  const options: string[] = []
  if (node.leaf !== undefined) options.push(describeLeaf(node.leaf))
  if (node.item !== undefined)
    options.push(
      node.leaf === undefined && node.item.leaf !== undefined
        ? `a list: ${describe(node.item)}`
        : 'a list',
    )
  if (node.keys.size > 0) {
    const keys = [...node.keys].filter(([, next]) => next.built).map(([key]) => key)
    options.push(keys.length === 0 ? 'a map' : `the keys ${keys.join(', ')}`)
  } else if (node.any !== undefined) options.push('a map')
  return options.join(', or ')
}

function describeLeaf({ form, types, values }: Leaf): string {
  const words = [...values].filter((value) => typeof value !== 'boolean').map(String)
  if (form !== undefined) {
    const text = FORMS[form] ?? `a ${form}`
    return words.length === 0 ? text : `${words.join(', ')}, or ${text}`
  }
  if (types.has('boolean')) words.push('true', 'false')
  if (types.has('number') && values.size === 0) words.push('a number')
  if (types.has('string') && ![...values].some((value) => typeof value === 'string'))
    words.push('a text')
  return words.join(', ')
}

const FORMS: Readonly<Record<string, string>> = {
  duration: 'a duration (1h, 5 minutes, or a number of seconds)',
  'duration, or -1': 'a duration such as 1M, or -1 to turn it off',
  'mail server': 'a mail server (submission://mail.example.com:587)',
  mailbox: 'a mail address (Sign-in <signin@example.com>)',
  address: 'an address (tcp://host:port/path, unix:///path/to/socket)',
  network: 'an IP address or a network',
  url: 'a web address (https://…)',
  secret: 'a text',
  uri: 'a URI',
  origin: 'an origin',
  aaguid: 'an AAGUID',
  certificates: 'certificates in PEM',
  'rate limits': 'rate limits',
}
