package dev.stator.cluster;

import dev.stator.engine.EngineLoad;
import dev.stator.engine.FinishReason;
import dev.stator.engine.GenerationRequest;
import dev.stator.engine.HostTierLoad;
import dev.stator.engine.RequestId;
import dev.stator.engine.SampledToken;
import dev.stator.engine.SamplingParams;
import dev.stator.kv.BlockHash;
import dev.stator.kv.KvEvent;
import dev.stator.model.Pooling;
import dev.stator.protocol.BookingCheck;
import dev.stator.protocol.CacheCommand;
import dev.stator.protocol.DecodeCommand;
import dev.stator.protocol.EngineWork;
import dev.stator.protocol.KvBatch;
import dev.stator.protocol.KvDumpPart;
import dev.stator.protocol.KvTier;
import dev.stator.protocol.LogCounts;
import dev.stator.protocol.Place;
import dev.stator.protocol.Placement;
import dev.stator.protocol.PlacementAnswer;
import dev.stator.protocol.PrefillCommand;
import dev.stator.protocol.RouterCommand;
import dev.stator.protocol.StepSums;
import dev.stator.protocol.TrafficReport;
import dev.stator.protocol.WorkRates;
import dev.stator.protocol.WorkerAnswer;
import dev.stator.protocol.WorkerCommand;
import dev.stator.protocol.WorkerDescription;
import dev.stator.protocol.WorkerId;
import dev.stator.protocol.WorkerReport;
import dev.stator.protocol.WorkerRole;
import dev.stator.protocol.WorkerUp;
import dev.stator.transport.AgentAddress;
import dev.stator.transport.BlockGeometry;
import dev.stator.transport.Grant;
import dev.stator.worker.RouterStats;
import dev.stator.worker.SessionStats;
import dev.stator.worker.TransferFigures;
import dev.stator.worker.WorkerStats;
import java.util.List;

/**
 * Every class of ours that crosses nodes, with the number that stands for it on the wire. Numbers
 * are never used again and never changed: append. Those below 32 are for the types of the JDK, see
 * {@link WireCodec}.
 */
final class MessageTable {
  /** Records and enums only. */
  record Entry(int id, Class<?> type) {}

  static final int FIRST_ID = 32;

  static final List<Entry> ENTRIES =
      List.of(
          entry(32, WorkerId.class),
          entry(33, WorkerRole.class),
          entry(34, KvTier.class),
          entry(35, RequestId.class),
          entry(36, EngineLoad.class),
          entry(37, GenerationRequest.class),
          entry(38, SamplingParams.class),
          entry(39, SampledToken.class),
          entry(40, SampledToken.Alternative.class),
          entry(41, FinishReason.class),
          entry(42, BlockHash.class),
          entry(43, KvEvent.Stored.class),
          entry(44, KvEvent.Removed.class),
          entry(45, Grant.class),
          entry(46, AgentAddress.class),
          entry(47, BlockGeometry.class),
          entry(48, Place.class),
          entry(49, RouterCommand.PrefillFinished.class),
          entry(50, RouterCommand.Ended.class),
          entry(51, PlacementAnswer.Placed.class),
          entry(52, PlacementAnswer.NotPlaced.class),
          entry(53, PlacementAnswer.Cause.class),
          entry(54, Placement.class),
          entry(55, Placement.PrefillPlan.class),
          entry(56, Placement.BlockSource.class),
          entry(57, Placement.Candidate.class),
          entry(58, DecodeCommand.Generate.class),
          entry(59, DecodeCommand.Cancel.class),
          entry(60, DecodeCommand.PrefillEnded.class),
          entry(61, PrefillCommand.Prefill.class),
          entry(62, PrefillCommand.CancelPrefill.class),
          entry(63, WorkerAnswer.TokenBatch.class),
          entry(64, WorkerAnswer.SequenceTokens.class),
          entry(65, WorkerAnswer.Refused.class),
          entry(66, WorkerAnswer.Lost.class),
          entry(67, WorkerUp.class),
          entry(68, WorkerDescription.class),
          entry(69, WorkerReport.class),
          entry(70, WorkerCommand.DumpKv.class),
          entry(71, WorkerCommand.Introduce.class),
          entry(72, WorkerCommand.TakeRoles.class),
          entry(73, WorkerCommand.RolesTaken.class),
          entry(74, WorkerCommand.Evict.class),
          entry(75, KvBatch.class),
          entry(76, KvDumpPart.class),
          entry(77, CacheCommand.Locate.class),
          entry(78, CacheCommand.Located.class),
          entry(79, CacheCommand.Pin.class),
          entry(80, CacheCommand.PinAnswer.Pinned.class),
          entry(81, CacheCommand.PinAnswer.PinRefused.class),
          entry(82, CacheCommand.Unpin.class),
          entry(83, EngineWork.class),
          entry(84, StepSums.class),
          entry(85, TrafficReport.class),
          entry(86, LogCounts.class),
          entry(87, PlannerHost.ForModel.class),
          entry(88, NodeMessage.NodeReport.class),
          entry(89, NodeMessage.DrainNode.class),
          entry(90, NodeMessage.RouterReport.class),
          entry(91, LocalNode.State.class),
          entry(92, ClusterView.PlannerNote.class),
          entry(93, WorkerStats.class),
          entry(94, RouterStats.class),
          entry(95, SessionStats.class),
          entry(96, TransferFigures.class),
          entry(97, CardMessage.Describe.class),
          entry(98, CardMessage.Described.class),
          entry(99, CardMessage.Fetch.class),
          entry(100, CardMessage.Part.class),
          entry(101, BookingCheck.class),
          entry(102, BookingCheck.Booked.class),
          entry(103, DecodeCommand.Prefilling.class),
          entry(104, Placement.Prefiller.class),
          entry(105, PrefillCommand.Order.class),
          entry(106, RouterCommand.NodeReachable.class),
          entry(107, RouterCommand.NodeUnreachable.class),
          entry(108, WorkerAnswer.Running.class),
          entry(109, WorkerAnswer.RunningSequence.class),
          entry(110, WorkRates.class),
          entry(111, Pooling.class),
          entry(112, HostTierLoad.class));

  private MessageTable() {}

  private static Entry entry(int id, Class<?> type) {
    return new Entry(id, type);
  }
}
