/** The other end of the NATS floor: a process of its own that answers what it is asked with the same bytes. */
import { connect } from '@nats-io/transport-node';

const [url = ''] = process.argv.slice(2);
const connection = await connect({ servers: url });
connection.subscribe('bench.echo', {
  callback: (error, message) => {
    if (error === null) message.respond(message.data);
  },
});
await connection.flush();
process.stdout.write('ready\n');
