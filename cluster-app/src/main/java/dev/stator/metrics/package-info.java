/**
 * What Prometheus scrapes. In: the requests' own observations, and the node's {@link
 * dev.stator.worker.StatsBoard}, read when a scrape comes; out: a text exposition.
 */
package dev.stator.metrics;
