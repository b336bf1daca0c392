export { createFileChannel } from './file.ts'
export { createSmtpChannel } from './smtp.ts'
