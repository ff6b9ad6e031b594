package dev.stator.model.text;

import java.util.List;

/**
 * The way of a text to its ids: added tokens are cut out, what is left is normalized, added tokens
 * that are normalized too are cut out, and what is left then is cut into words, which are encoded.
 *
 * @param added the added tokens, special ones included
 * @param normalizer before the second search for added tokens
 * @param rewriter after it
 */
record TextPipeline(
    List<AddedToken> added,
    TextRewriter normalizer,
    TextRewriter rewriter,
    Splitter splitter,
    WordEncoder encoder) {}
