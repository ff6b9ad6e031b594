package dev.stator.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.stator.http.CompletionRequest.Prompt;
import dev.stator.http.tools.ToolCallIds;
import dev.stator.model.grammar.GrammarSettings;
import dev.stator.request.GenerationCall;
import dev.stator.request.ServedModel;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes generations of bodies. Takes long for long prompts. Any thread. */
final class RequestPreparation {
  private static final Logger LOG = LoggerFactory.getLogger(RequestPreparation.class);
  private static final int ID_LENGTH = 24;

  private final ModelCatalog catalog;
  private final RequestLimits limits;
  private final HttpSettings.EmbeddingPooling pooling;
  private final GrammarSettings grammars;
  private final MessageParser messages;
  private final PromptEncoder encoder;
  private final Clock clock;
  private final RandomGenerator random;
  private final Supplier<String> toolCallIds;

  /**
   * @param random for ids, and for the seeds of requests that bring none; safe for use by any
   *     number of threads
   */
  RequestPreparation(
      ModelCatalog catalog,
      RequestLimits limits,
      HttpSettings.EmbeddingPooling pooling,
      GrammarSettings grammars,
      JsonBodies bodies,
      Clock clock,
      RandomGenerator random) {
    this.catalog = catalog;
    this.limits = limits;
    this.pooling = pooling;
    this.grammars = grammars;
    this.messages = new MessageParser(bodies, limits);
    this.encoder = new PromptEncoder(limits);
    this.clock = clock;
    this.random = random;
    this.toolCallIds = ToolCallIds.from(random);
  }

  MessageParser messages() {
    return messages;
  }

  PromptEncoder encoder() {
    return encoder;
  }

  /** The model that a body names; the only one that is served, when it names none. */
  ServedModel model(JsonFields fields) {
    Optional<String> name = fields.text("model");
    if (name.isPresent()) {
      return catalog
          .find(name.get())
          .orElseThrow(() -> new ApiException(ApiError.modelNotFound(name.get())));
    }
    List<ServedModel> models = catalog.models();
    if (models.size() == 1) return models.getFirst();
    throw new ApiException(ApiError.missing("model"));
  }

  /** A body of {@code POST /v1/chat/completions}. */
  PreparedGeneration chat(ObjectNode body) {
    JsonFields fields = new JsonFields(body, "");
    ChatRequest request = ChatRequest.parse(fields, model(fields), messages, limits);
    logUnknown(fields);
    ServedModel model = request.model();
    ToolCalling tools = ToolCalling.of(request.conversation(), model, request.options().form());
    tools.form().check(grammars);
    String text = encoder.render(request.conversation(), model, tools.answerBegin());
    int[] prompt = encoder.encodeRendered(text, model);
    int room = encoder.room(prompt, "messages", model);
    String id = id("chatcmpl-");
    AnswerHead head = head(id, model, request.options().choiceCount(), request.options());
    boolean showsSpecial =
        request.options().showsSpecialTokens() || tools.needsSpecialTokens(model.tokenizer());
    return new PreparedGeneration(
        model,
        request.options().stream(),
        List.of(
            call(
                id,
                model,
                prompt,
                room,
                request.sampling(),
                request.options(),
                tools.form(),
                showsSpecial)),
        AnswerFormat.chat(head, request.sampling().logprobs(), () -> tools.parser(toolCallIds)));
  }

  /** A body of {@code POST /v1/completions}. */
  PreparedGeneration completion(ObjectNode body) {
    JsonFields fields = new JsonFields(body, "");
    CompletionRequest request = CompletionRequest.parse(fields, model(fields), limits);
    logUnknown(fields);
    request.options().form().check(grammars);
    ServedModel model = request.model();
    int choiceCount = request.options().choiceCount();
    String id = id("cmpl-");
    List<GenerationCall> calls = new ArrayList<>();
    List<String> echoes = new ArrayList<>();
    for (Prompt prompt : request.prompts()) {
      int[] tokens = tokens(prompt, model);
      int room = encoder.room(tokens, prompt.path(), model);
      String callId = request.prompts().size() == 1 ? id : id + "-" + calls.size();
      calls.add(
          call(
              callId,
              model,
              tokens,
              room,
              request.sampling(),
              request.options(),
              request.options().form(),
              request.options().showsSpecialTokens()));
      for (int choice = 0; request.echo() && choice < choiceCount; choice++) {
        echoes.add(text(prompt, model));
      }
    }
    AnswerHead head = head(id, model, choiceCount * calls.size(), request.options());
    return new PreparedGeneration(
        model, request.options().stream(), calls, AnswerFormat.completion(head, echoes));
  }

  /** A body of {@code POST /v1/embeddings}. */
  PreparedGeneration embeddings(ObjectNode body) {
    JsonFields fields = new JsonFields(body, "");
    EmbeddingRequest request = EmbeddingRequest.parse(fields, model(fields), limits);
    logUnknown(fields);
    ServedModel model = request.model();
    String id = id("embd-");
    List<GenerationCall> calls = new ArrayList<>();
    for (Prompt input : request.inputs()) {
      int[] tokens = tokens(input, model);
      encoder.room(tokens, input.path(), model);
      calls.add(
          GenerationCall.embedding(
              id + "-" + calls.size(),
              model.name(),
              tokens,
              pooling.of(model.defaults()),
              request.cacheSalt()));
    }
    AnswerHead head =
        new AnswerHead(id, clock.instant().getEpochSecond(), model.name(), calls.size(), false);
    return new PreparedGeneration(
        model,
        false,
        calls,
        AnswerFormat.embeddings(head, request.dimensions(), request.isBase64()));
  }

  private int[] tokens(Prompt prompt, ServedModel model) {
    return switch (prompt) {
      case Prompt.Text(var path, var text) -> encoder.encodeText(text, path, model, true);
      case Prompt.Tokens(_, var ids) -> ids;
    };
  }

  private static String text(Prompt prompt, ServedModel model) {
    return switch (prompt) {
      case Prompt.Text(_, var text) -> WellFormed.text(text);
      case Prompt.Tokens(_, var ids) -> model.tokenizer().decode(ids, true);
    };
  }

  private AnswerHead head(
      String id, ServedModel model, int choiceCount, GenerationOptions options) {
    long created = clock.instant().getEpochSecond();
    return new AnswerHead(id, created, model.name(), choiceCount, options.includeUsage());
  }

  private GenerationCall call(
      String id,
      ServedModel model,
      int[] prompt,
      int room,
      SamplingRequest sampling,
      GenerationOptions options,
      AnswerForm form,
      boolean showsSpecialTokens) {
    return new GenerationCall(
        id,
        model.name(),
        prompt,
        sampling.toParams(model.defaults(), room, random.nextLong(), form),
        options.choiceCount(),
        options.stopStrings(),
        options.cacheSalt(),
        showsSpecialTokens,
        options.includePlacements());
  }

  private String id(String prefix) {
    StringBuilder id = new StringBuilder(prefix);
    for (int digit = 0; digit < ID_LENGTH; digit++) {
      id.append(Character.forDigit(random.nextInt(36), 36));
    }
    return id.toString();
  }

  private static void logUnknown(JsonFields fields) {
    if (!LOG.isDebugEnabled()) return;
    List<String> unknown = fields.unknown();
    if (!unknown.isEmpty()) LOG.debug("Fields without meaning here, ignored: {}", unknown);
  }
}
