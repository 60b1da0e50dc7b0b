// Composition root of the worker: reads the configuration, builds the dependencies, runs the workers. Drains on SIGTERM and
// SIGINT.
import { readFile } from 'node:fs/promises';
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { activitiesByQueue } from './activities/index.ts';
import { loadConfig } from './config.ts';
import { listen } from './db/listen.ts';
import { openOrm } from './db/orm.ts';
import { smtpMailer } from './integrations/mail.ts';
import { buildWorkflowBundle } from './temporal/bundle.ts';
import { temporalClient } from './temporal/client.ts';
import { serveMailOutbox } from './temporal/mail-outbox.ts';
import { freeLoopbackPort, monitorWorker } from './temporal/metrics.ts';
import { ensureSchedules } from './temporal/schedules.ts';
import { createWorkers } from './temporal/workers.ts';

const config = loadConfig();
const { queues, metricsPort, shutdownGraceMs, maxWorkflowTasks, maxCachedWorkflows, stackTraces } = config.worker;
const corePort = metricsPort ? await freeLoopbackPort() : undefined;

Runtime.install({
  logger: new DefaultLogger(config.logLevel === 'debug' || config.logLevel === 'trace' ? 'DEBUG' : 'WARN'),
  // The code below handles signals: it stops all queues together, then the pool.
  shutdownSignals: [],
  telemetryOptions: {
    logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
    ...(corePort ? { metrics: { prometheus: { bindAddress: `127.0.0.1:${corePort}` } } } : {}),
  },
});

const orm = await openOrm({ databaseUrl: config.database.url, poolMax: config.database.poolMax, applicationName: 'proxie-worker' });
const temporal = temporalClient(config.temporal);
const logger = Runtime.instance().logger;
const { smtpUrl, from } = config.mail;
const mailer = smtpUrl && queues.includes('proxie-outbound') ? smtpMailer({ smtpUrl, from }) : undefined;
// An image contains a prebuilt bundle, whose path stands on the command line. Without one, bundling takes two seconds.
const bundleFile = process.argv[2];
const workers = await createWorkers({
  ...config.temporal,
  queues,
  activities: activitiesByQueue({ orm, temporal, config, mailer, publicUrl: config.http.publicUrl }),
  workflowBundle: bundleFile ? { code: await readFile(bundleFile, 'utf8') } : await buildWorkflowBundle(),
  shutdownGraceMs,
  maxWorkflowTasks,
  maxCachedWorkflows,
  stackTraces,
});
const monitor =
  metricsPort && corePort
    ? monitorWorker({ host: config.http.host, port: metricsPort, corePort, isRunning: workers.isRunning })
    : undefined;

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => workers.shutdown());
const drained = workers.run();
if (queues.includes('proxie')) await ensureSchedules(temporal, { starting: true });
// A worker survives the loss of the Temporal store: it notices that a Schedule is missing, and the reconciler starts every open
// stream again.
const watch = setInterval(() => {
  if (queues.includes('proxie'))
    ensureSchedules(temporal, { starting: false }).catch((error: unknown) =>
      logger.warn('the Schedules cannot be looked after', { error }),
    );
}, 60_000);
const outbox =
  mailer &&
  (await serveMailOutbox({
    temporal,
    listen: (channel, onPayload, onListening) => listen({ databaseUrl: config.database.url, onListening }, channel, onPayload),
    onError: (error) => logger.warn('the outbox could not be woken; trying again', { error }),
  }));
await drained;
clearInterval(watch);
await outbox?.close();
mailer?.close();
monitor?.close();
await Promise.all([workers.close(), temporal.connection.close(), orm.close(true)]);
