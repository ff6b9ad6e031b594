// Drives a running server with the official OpenAI client:
//
//   npm ci && node openai-client.mjs BASE_URL MODEL [--skip=case,case] [--only=case,case]
//
// BASE_URL is the server's root, such as http://127.0.0.1:8080. Each case prints one line; the exit status says whether
// all went well. Cases that need a server which breaks on purpose begin with "scripted" and run with --scripted only.
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const [baseUrl, model, ...options] = process.argv.slice(2);
const list = (name) =>
  options.filter((option) => option.startsWith(`--${name}=`)).flatMap((option) => option.split('=')[1].split(','));
const skipped = list('skip');
const only = list('only');
const scripted = options.includes('--scripted');

const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: 'none', maxRetries: 0, timeout: 60_000 });
const messages = [{ role: 'user', content: 'Count from one to five.' }];
const request = { model, messages, temperature: 0, seed: 7, max_tokens: 24 };

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Get the current weather for a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const askWeather = {
  model,
  messages: [{ role: 'user', content: 'What is the weather in Paris?' }],
  tools: [weather],
  temperature: 0,
  max_tokens: 96,
};

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks, index = 0) =>
  chunks
    .flatMap((chunk) => chunk.choices)
    .filter((choice) => choice.index === index)
    .map((choice) => choice.delta?.content ?? choice.text ?? '')
    .join('');

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'no error was thrown' });
}

/** Waits until nothing runs on the server, for a bounded time. */
async function idle() {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const health = await (await fetch(`${baseUrl}/health`)).json();
    if (health.active_requests === 0) return;
    assert.ok(Date.now() < deadline, `still ${health.active_requests} active requests`);
  }
}

function assertUsage(usage) {
  assert.ok(usage.prompt_tokens > 0);
  assert.ok(usage.completion_tokens > 0);
  assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  assert.ok(usage.prompt_tokens_details.cached_tokens >= 0);
}

/** An end token counts as an answer's token, but nobody sees it. */
function assertCovered(tokenCount, usage) {
  assert.ok(tokenCount === usage.completion_tokens || tokenCount === usage.completion_tokens - 1);
}

function assertWeatherCall(message, finishReason) {
  assert.equal(finishReason, 'tool_calls');
  assert.equal(message.tool_calls.length, 1);
  const [call] = message.tool_calls;
  assert.equal(call.type, 'function');
  assert.ok(call.id.length > 0);
  assert.equal(call.function.name, 'get_weather');
  assert.match(JSON.parse(call.function.arguments).city, /paris/i);
}

const cases = {
  async embeddings() {
    const input = ['a red house', 'the miller', 'a red house'];
    const packed = await client.embeddings.create({ model, input }); // The client asks for base64 by itself.
    const plain = await client.embeddings.create({ model, input, encoding_format: 'float' });
    assert.equal(packed.object, 'list');
    assert.deepEqual(packed.data.map((entry) => entry.index), [0, 1, 2]);
    assert.deepEqual(packed.data[0].embedding, packed.data[2].embedding);
    assert.notDeepEqual(packed.data[0].embedding, packed.data[1].embedding);
    for (const [i, { embedding }] of packed.data.entries()) {
      const length = Math.hypot(...embedding);
      assert.ok(Math.abs(length - 1) < 1e-5, `a length of ${length}`);
      assert.deepEqual(Array.from(embedding), plain.data[i].embedding.map(Math.fround));
    }
    assert.ok(packed.usage.prompt_tokens > 0);
    assert.equal(packed.usage.total_tokens, packed.usage.prompt_tokens);
    const one = await client.embeddings.create({ model, input: 'a red house', dimensions: 2 });
    assert.equal(one.data[0].embedding.length, 2);
    const error = await failure(client.embeddings.create({ model, input: [] }));
    assert.equal(error.status, 400);
  },

  async models() {
    const all = await collect(client.models.list());
    assert.ok(all.some((entry) => entry.id === model && entry.object === 'model'));
    assert.equal((await client.models.retrieve(model)).id, model);
  },

  async chat() {
    const { data, response } = await client.chat.completions.create(request).withResponse();
    assert.match(data.id, /^chatcmpl-/);
    assert.equal(data.object, 'chat.completion');
    assert.equal(data.choices.length, 1);
    assert.equal(data.choices[0].message.role, 'assistant');
    assert.ok(data.choices[0].message.content.length > 0);
    assert.ok(['stop', 'length'].includes(data.choices[0].finish_reason));
    assertUsage(data.usage);
    assert.ok(response.headers.get('x-request-id').length > 0);
  },

  async chatStream() {
    const whole = await client.chat.completions.create(request);
    const chunks = await collect(await client.chat.completions.create({ ...request, stream: true }));
    assert.equal(chunks[0].choices[0].delta.role, 'assistant');
    assert.equal(new Set(chunks.map((chunk) => `${chunk.id} ${chunk.created} ${chunk.model}`)).size, 1);
    assert.equal(textOf(chunks), whole.choices[0].message.content);
    assert.equal(chunks.at(-1).choices[0].finish_reason, whole.choices[0].finish_reason);
    assert.ok(chunks.every((chunk) => chunk.usage === undefined));
  },

  async streamUsage() {
    const chunks = await collect(
      await client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage: true } }),
    );
    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    assertUsage(last.usage);
    assert.ok(chunks.every((chunk) => chunk.usage === null));
  },

  async severalChoices() {
    const many = { ...request, n: 3, temperature: 1 };
    const whole = await client.chat.completions.create(many);
    assert.deepEqual(whole.choices.map((choice) => choice.index), [0, 1, 2]);
    const chunks = await collect(await client.chat.completions.create({ ...many, stream: true }));
    for (const choice of whole.choices) assert.equal(textOf(chunks, choice.index), choice.message.content);
  },

  async limits() {
    const short = await client.chat.completions.create({ ...request, max_completion_tokens: 2 });
    assert.equal(short.choices[0].finish_reason, 'length');
    assert.equal(short.usage.completion_tokens, 2);
  },

  async logprobs() {
    const chat = await client.chat.completions.create({ ...request, logprobs: true, top_logprobs: 2 });
    const { content } = chat.choices[0].logprobs;
    assertCovered(content.length, chat.usage);
    for (const token of content) {
      assert.ok(token.logprob <= 0);
      assert.equal(token.top_logprobs.length, 2);
      assert.ok(Array.isArray(token.bytes));
    }
    const text = await client.completions.create({ model, prompt: 'One two', max_tokens: 4, logprobs: 2 });
    const { tokens, token_logprobs, top_logprobs, text_offset } = text.choices[0].logprobs;
    assertCovered(tokens.length, text.usage);
    assert.equal(token_logprobs.length, tokens.length);
    assert.equal(top_logprobs.length, tokens.length);
    assert.equal(text_offset[0], 0);
  },

  async completions() {
    const body = { model, prompt: 'One two three', max_tokens: 8, temperature: 0, seed: 7 };
    const whole = await client.completions.create(body);
    assert.match(whole.id, /^cmpl-/);
    assert.equal(whole.object, 'text_completion');
    assertUsage(whole.usage);
    const chunks = await collect(await client.completions.create({ ...body, stream: true }));
    assert.equal(textOf(chunks), whole.choices[0].text);
    const several = await client.completions.create({ ...body, prompt: ['One', 'Two'], echo: true });
    assert.equal(several.choices.length, 2);
    assert.ok(several.choices[0].text.startsWith('One'));
    assert.ok(several.choices[1].text.startsWith('Two'));
    const tokens = await client.completions.create({ ...body, prompt: [65, 66, 67] });
    assert.equal(tokens.usage.prompt_tokens, 3);
  },

  async tools() {
    const answer = await client.chat.completions.create(askWeather);
    assert.equal(answer.choices[0].message.content, null);
    assertWeatherCall(answer.choices[0].message, answer.choices[0].finish_reason);
  },

  async toolsStream() {
    const stream = client.chat.completions.stream(askWeather);
    const deltas = [];
    for await (const chunk of stream) deltas.push(...(chunk.choices[0]?.delta.tool_calls ?? []));
    const final = await stream.finalChatCompletion();
    assertWeatherCall(final.choices[0].message, final.choices[0].finish_reason);
    assert.equal(deltas[0].function.name, 'get_weather');
    assert.ok(deltas.slice(1).every((delta) => delta.index === 0 && delta.id === undefined));
    const joined = deltas.map((delta) => delta.function.arguments ?? '').join('');
    assert.equal(joined, final.choices[0].message.tool_calls[0].function.arguments);
  },

  async toolsRun() {
    let asked;
    const runner = client.chat.completions.runTools({
      ...askWeather,
      tools: [
        {
          ...weather,
          function: {
            ...weather.function,
            parse: JSON.parse,
            function: ({ city }) => {
              asked = city;
              return 'Sunny, 21 degrees.';
            },
          },
        },
      ],
    });
    const text = await runner.finalContent();
    assert.match(asked, /paris/i);
    assert.ok(text.length > 0);
  },

  async toolsForced() {
    const named = { type: 'function', function: { name: 'get_weather' } };
    for (const tool_choice of ['required', named]) {
      const answer = await client.chat.completions.create({ ...askWeather, tool_choice });
      assertWeatherCall(answer.choices[0].message, answer.choices[0].finish_reason);
    }
    const none = await client.chat.completions.create({ ...askWeather, tool_choice: 'none' });
    assert.equal(none.choices[0].message.tool_calls, undefined);
  },

  async errors() {
    const bad = await failure(client.chat.completions.create({ ...request, temperature: 9 }));
    assert.ok(bad instanceof OpenAI.BadRequestError);
    assert.equal(bad.status, 400);
    assert.equal(bad.param, 'temperature');
    assert.equal(bad.code, 'invalid_value');
    assert.equal(bad.type, 'invalid_request_error');
    const image = { type: 'image_url', image_url: { url: 'data:,' } };
    const part = await failure(
      client.chat.completions.create({ ...request, messages: [...messages, { role: 'user', content: [image] }] }),
    );
    assert.equal(part.param, 'messages[1].content[0].type');
    const unknown = await failure(client.chat.completions.create({ ...request, model: 'none', stream: true }));
    assert.ok(unknown instanceof OpenAI.NotFoundError);
    assert.equal(unknown.code, 'model_not_found');
    const long = { ...request, messages: [{ role: 'user', content: 'word '.repeat(100_000) }] };
    const tooLong = await failure(client.chat.completions.create(long));
    assert.equal(tooLong.status, 400);
    assert.equal(tooLong.code, 'context_length_exceeded');
    assert.ok((await failure(client.models.retrieve('none'))) instanceof OpenAI.NotFoundError);
  },

  async abort() {
    const endless = { ...request, max_tokens: 100_000, ignore_eos: true };
    const stream = await client.chat.completions.create({ ...endless, stream: true });
    let chunkCount = 0;
    for await (const chunk of stream) {
      assert.equal(chunk.object, 'chat.completion.chunk');
      if (++chunkCount === 3) break; // The client aborts its request.
    }
    await idle();
    const controller = new AbortController();
    const whole = failure(client.chat.completions.create(endless, { signal: controller.signal }));
    const deadline = Date.now() + 10_000;
    while ((await (await fetch(`${baseUrl}/health`)).json()).active_requests === 0) assert.ok(Date.now() < deadline);
    controller.abort();
    assert.ok((await whole) instanceof OpenAI.APIUserAbortError);
    await idle();
  },

  async scriptedBreak() {
    const breaking = { ...request, messages: [{ role: 'user', content: 'break' }], stream: true };
    const stream = await client.chat.completions.create(breaking);
    const error = await failure(collect(stream));
    assert.ok(error instanceof OpenAI.APIError);
    assert.match(error.message, /Broken on purpose/);
  },

  async scriptedOverload() {
    const body = { ...request, messages: [{ role: 'user', content: 'overload' }] };
    const refused = await failure(client.chat.completions.create(body));
    assert.ok(refused instanceof OpenAI.RateLimitError);
    assert.equal(refused.headers.get('retry-after'), '1');
    // The server takes every third of these; the client tries again by itself.
    const answer = await client.chat.completions.create(body, { maxRetries: 1 });
    assert.ok(answer.choices[0].message.content.length > 0);
  },
};

let failed = 0;
for (const [name, run] of Object.entries(cases)) {
  if (skipped.includes(name) || (only.length > 0 && !only.includes(name))) continue;
  if (name.startsWith('scripted') && !scripted) continue;
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}: ${error.stack}`);
  }
}
process.exitCode = failed > 0 ? 1 : 0;
