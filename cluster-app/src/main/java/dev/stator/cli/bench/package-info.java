/**
 * Load against an OpenAI-compatible endpoint, and what it measures.
 *
 * <pre>
 *   Workload --PlannedRequest--> LoadGenerator --RequestResult--> Statistics --BenchReport--> table, JSON, HTML
 *                                     |  ^
 *                                  Endpoint (a server, or a fake one)
 * </pre>
 *
 * The generator and all below it are pure: clock, timers and endpoint are given to them.
 */
package dev.stator.cli.bench;
