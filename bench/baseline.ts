/** What Vestibule is compared with: `node bench/baseline.ts PORT`. */
import cookie from '@fastify/cookie'
import Fastify from 'fastify'

const [port] = process.argv.slice(2)
const app = Fastify({ logger: false })
app.get('/', async () => 'ok')
await app.register(cookie)
app.get('/verify', (request, reply) => {
  if (request.cookies['vestibule_session'] === undefined) return reply.code(401).send()
  return reply
    .header('Remote-User', 'admin')
    .header('Remote-Groups', 'vestibule-admins')
    .header('Remote-Name', 'Administrator')
    .header('Remote-Email', '')
    .header('Cache-Control', 'no-store')
    .send()
})
await app.listen({ port: Number(port), host: '127.0.0.1' })
process.once('SIGTERM', () => {
  void app.close()
})
