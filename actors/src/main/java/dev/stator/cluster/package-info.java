/**
 * Nodes: all actors of a server on one actor system ({@link dev.stator.cluster.LocalNode}), or one
 * node among others ({@link dev.stator.cluster.ClusterNode}), where routers, cache directories and
 * workers' roles are sharded entities and the planner is a singleton.
 *
 * <pre>
 *   frontend:  SessionHub ──proxy──▶ region ──▶ router (one a model, on some router node)
 *   worker:    SlotKeeper ──▶ Worker ──offer──▶ ShardedRoles ──StartEntity──▶ decode, prefill (here)
 *   both:      NodePeers ◀──NodeReport──▶ NodePeers          CardHost ──card──▶ ModelCatalog
 * </pre>
 *
 * In: {@code stator.cluster}, engine slots. Out: {@link dev.stator.request.Generations}, {@link
 * dev.stator.cluster.ClusterView}. What crosses nodes stands in {@code MessageTable}.
 */
package dev.stator.cluster;
