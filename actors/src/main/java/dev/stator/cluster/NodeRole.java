package dev.stator.cluster;

import java.util.Locale;

/** What a node of a cluster is there for. A node may have several. */
public enum NodeRole {
  /** Has engine slots whose first role is to compute prompts. */
  PREFILL,
  /** Has engine slots whose first role is to answer. */
  DECODE,
  /** Serves clients. */
  FRONTEND,
  /** May host routers, cache directories and the planner. */
  ROUTER;

  /** As operators and the cluster's members know it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * @throws IllegalArgumentException when there is no such role
   */
  public static NodeRole parse(String text) {
    for (NodeRole role : values()) if (role.text().equals(text)) return role;
    throw new IllegalArgumentException(
        "no role is named " + text + "; there are prefill, decode, frontend, router");
  }
}
