// attack: assigns Error.stackTraceLimit in strict mode, as libraries do
// must: such a bundle loads and runs
'use strict';
const before = Error.stackTraceLimit;
Error.stackTraceLimit = 100;
Error.stackTraceLimit = before;
module.exports = { execute(ctx) { Error.stackTraceLimit = 0; ctx.tracing.trace('loaded'); } };
