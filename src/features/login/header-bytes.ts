/** Text as the bytes of its UTF-8, one character a byte: the only way in which Node writes it into a header. */
export const headerBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
