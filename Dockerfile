# One image, three commands: API (default), `node src/worker.ts dist/workflow-bundle.js`, `node src/migrate.ts`. Node runs the TypeScript: no build step.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Never --omit=optional: the native parts of @temporalio and swc are optional packages, one per platform.
# The Node that package.json brings for development machines leaves again: the image has its own.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/node-linux-* node_modules/node-win-* node_modules/.bin/node

# Bundling here fails the build instead of the first start, and workers start a second earlier.
FROM dependencies AS bundle
COPY src ./src
COPY scripts ./scripts
RUN node scripts/build/workflows.ts

FROM node:24-slim
# tini reaps children and passes SIGTERM on; the certificates are for Temporal's native client, which does not use Node's.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=bundle /app/dist ./dist
COPY package.json ./
COPY src ./src
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--"]
CMD ["node", "src/api/server.ts"]
