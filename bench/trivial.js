/** The least that Fastify can do, in plain JavaScript: `node bench/trivial.js PORT`. */
import Fastify from 'fastify'

const app = Fastify({ logger: false })
app.get('/', async () => 'ok')
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' })
process.once('SIGTERM', () => {
  void app.close()
})
