package dev.stator.cluster;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.cluster.Reachability;
import org.apache.pekko.cluster.UniqueAddress;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Who says of whom that it does not answer, and which of these words can be believed. A word stays
 * until its speaker takes it back, also when that one dies before it could.
 *
 * <pre>
 *   A dies.                         B, C, D, E:  A does not answer
 *   B dies.                            C, D, E:  A, B do not answer;   B's word of A stays
 *   C hangs, wakes, finds all but D again, dies.                       C's word of D stays
 * </pre>
 *
 * <ul>
 *   <li>Who is missed by somebody whom nobody misses is gone, and has no word.
 *   <li>Where everybody watches everybody, so has who is missed by most; and who alone misses a
 *       node that does not miss him, while others who answer find it, is wrong.
 * </ul>
 *
 * What is left where links between living nodes are cut is as it was. A value.
 */
final class SilentWords {
  private final Reachability said;
  private final Map<UniqueAddress, Set<UniqueAddress>> missers = new HashMap<>();

  SilentWords(Reachability said) {
    this.said = said;
    CollectionConverters.asJava(said.records())
        .forEach(record -> {
          if (said.isReachable(record.observer(), record.subject())) return;
          missers.computeIfAbsent(record.subject(), node -> new HashSet<>()).add(record.observer());
        });
  }

  SilentWords without(Set<UniqueAddress> speakers) {
    return speakers.isEmpty()
        ? this
        : new SilentWords(said.filterRecords(word -> !speakers.contains(word.observer())));
  }

  /**
   * @param watching nodes in all, if each of them watches all others; else 0
   */
  Reachability credible(int watching) {
    if (watching == 0) return without(goneForSome()).said;
    return without(goneForMost(watching)).withoutTheLone(watching).without(goneForSome()).said;
  }

  private Set<UniqueAddress> goneForSome() {
    final Set<UniqueAddress> gone = new HashSet<>();
    missers.forEach((node, by) -> {
      if (!missers.keySet().containsAll(by)) gone.add(node);
    });
    return gone;
  }

  private Set<UniqueAddress> goneForMost(int watching) {
    final Set<UniqueAddress> gone = new HashSet<>();
    missers.forEach((node, by) -> {
      if (2 * by.size() > watching - 1) gone.add(node);
    });
    return gone;
  }

  /**
   * Without words that one node alone has of another, which does not miss him, while there are
   * others who answer and find it.
   */
  private SilentWords withoutTheLone(int watching) {
    final Map<UniqueAddress, UniqueAddress> lone = new HashMap<>();
    missers.forEach((node, by) -> {
      final UniqueAddress misser = by.iterator().next();
      final boolean isMissed = missers.containsKey(misser);
      final int others = watching - missers.size() - (isMissed ? 0 : 1);
      final boolean isMutual = isMissed && missers.get(misser).contains(node);
      if (by.size() == 1 && !isMutual && others > 0) lone.put(node, misser);
    });
    return lone.isEmpty()
        ? this
        : new SilentWords(
            said.filterRecords(word -> !word.observer().equals(lone.get(word.subject()))));
  }
}
