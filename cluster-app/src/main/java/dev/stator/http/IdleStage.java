package dev.stator.http;

import java.time.Duration;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.BidiShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;

/**
 * Ends a connection that asks for nothing; its last bytes still go out.
 *
 * <pre>
 *   IDLE ──request's headers are complete──▶ BUSY ──last byte of every answer──▶ IDLE
 *     └──────────idle timeout──────────▶ closed
 * </pre>
 *
 * Bytes that complete no request leave the connection idle, or a few bytes now and then would hold
 * it. One for each connection, between the protocol and the handler.
 */
final class IdleStage
    extends GraphStage<BidiShape<HttpRequest, HttpRequest, HttpResponse, HttpResponse>> {
  private final Inlet<HttpRequest> requestIn = Inlet.create("IdleStage.requestIn");
  private final Outlet<HttpRequest> requestOut = Outlet.create("IdleStage.requestOut");
  private final Inlet<HttpResponse> responseIn = Inlet.create("IdleStage.responseIn");
  private final Outlet<HttpResponse> responseOut = Outlet.create("IdleStage.responseOut");
  private final BidiShape<HttpRequest, HttpRequest, HttpResponse, HttpResponse> shape =
      new BidiShape<>(requestIn, requestOut, responseIn, responseOut);
  private final Duration timeout;

  IdleStage(Duration timeout) {
    this.timeout = timeout;
  }

  @Override
  public BidiShape<HttpRequest, HttpRequest, HttpResponse, HttpResponse> shape() {
    return shape;
  }

  @Override
  public GraphStageLogic createLogic(Attributes attributes) {
    return new Logic();
  }

  private final class Logic extends TimerGraphStageLogic {
    private static final String TIMER = "idle";

    private final AsyncCallback<Done> answered = createAsyncCallback(done -> requestEnded());
    private int inProgressCount;

    Logic() {
      super(shape);
      setHandler(requestIn, new RequestIn());
      setHandler(requestOut, new RequestOut());
      setHandler(responseIn, new ResponseIn());
      setHandler(responseOut, new ResponseOut());
    }

    @Override
    public void preStart() {
      scheduleOnce(TIMER, timeout);
    }

    @Override
    public void onTimer(Object key) {
      completeStage();
    }

    private void requestBegun() {
      inProgressCount++;
      cancelTimer(TIMER);
    }

    private void requestEnded() {
      inProgressCount--;
      if (inProgressCount == 0) scheduleOnce(TIMER, timeout);
    }

    /** A streamed answer ends with its stream, any other when it is handed on. */
    private HttpResponse watched(HttpResponse response) {
      if (response.entity().isStrict()) {
        requestEnded();
        return response;
      }
      return response.transformEntityDataBytes(
          Flow.of(ByteString.class)
              .watchTermination((notUsed, done) -> {
                done.whenComplete((ok, failure) -> answered.invoke(Done.getInstance()));
                return NotUsed.getInstance();
              }));
    }

    private final class RequestIn extends AbstractInHandler {
      @Override
      public void onPush() {
        requestBegun();
        push(requestOut, grab(requestIn));
      }

      @Override
      public void onUpstreamFinish() {
        complete(requestOut); // The client has closed its end; answers still go out.
      }
    }

    private final class RequestOut extends AbstractOutHandler {
      @Override
      public void onPull() {
        pull(requestIn);
      }

      @Override
      public void onDownstreamFinish(Throwable cause) {
        cancel(requestIn, cause);
      }
    }

    private final class ResponseIn extends AbstractInHandler {
      @Override
      public void onPush() {
        push(responseOut, watched(grab(responseIn)));
      }

      @Override
      public void onUpstreamFinish() {
        complete(responseOut);
      }
    }

    private final class ResponseOut extends AbstractOutHandler {
      @Override
      public void onPull() {
        pull(responseIn);
      }

      @Override
      public void onDownstreamFinish(Throwable cause) {
        cancel(responseIn, cause);
      }
    }
  }
}
