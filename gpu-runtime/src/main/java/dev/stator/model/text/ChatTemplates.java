package dev.stator.model.text;

import dev.stator.model.text.template.JinjaTemplate;
import dev.stator.model.text.template.Limits;
import java.time.Clock;
import java.util.HashMap;
import java.util.Map;

/** Compiles chat templates: Jinja as Hugging Face's {@code apply_chat_template} runs it. */
public final class ChatTemplates {
  private ChatTemplates() {}

  /**
   * Compiles a template with the default limits and the system's clock.
   *
   * @param source the template as the model carries it
   * @param bosToken text of the beginning-of-sequence token, null where the model has none
   * @param eosToken text of the end-of-sequence token, null where the model has none
   * @throws ChatTemplateException when the source is not a template that this engine knows
   */
  public static ChatTemplate compile(String source, String bosToken, String eosToken) {
    return compile(source, bosToken, eosToken, Limits.DEFAULT, Clock.systemDefaultZone());
  }

  /**
   * As {@link #compile(String, String, String)}.
   *
   * @param limits what compiling and each render may cost
   * @param clock what {@code strftime_now} reads
   */
  public static ChatTemplate compile(
      String source, String bosToken, String eosToken, Limits limits, Clock clock) {
    final Map<String, String> tokens = new HashMap<>();
    if (bosToken != null) {
      tokens.put("bos_token", bosToken);
    }
    if (eosToken != null) {
      tokens.put("eos_token", eosToken);
    }
    return JinjaTemplate.compile(source, tokens, limits, clock);
  }
}
