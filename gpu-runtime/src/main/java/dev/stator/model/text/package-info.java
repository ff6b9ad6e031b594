/** Text in and out: tokenizers, incremental decoding, chat templates. */
package dev.stator.model.text;
