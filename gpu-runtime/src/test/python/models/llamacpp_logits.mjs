// The logarithms of the probabilities that llama.cpp gives to all tokens after a prompt.
// and the tokens of texts.
//   node llamacpp_logits.mjs MODEL.gguf '[[1, 2, 3], ...]' '["text", ...]'        from a folder with node-llama-cpp
// Prints one JSON array a prompt, then one a text.
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const {getLlama} = await import(pathToFileURL(require.resolve("node-llama-cpp")));
const [modelPath, prompts, texts] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", maxThreads: 1, logLevel: process.env.LLAMA_LOG ?? "error"});
const model = await llama.loadModel({modelPath, gpuLayers: 0});
for (const prompt of JSON.parse(prompts)) {
    const context = await model.createContext({
        contextSize: 64, batchSize: 64, threads: 1, flashAttention: false,
        experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32"
    });
    const sequence = context.getSequence();
    const options = {temperature: 1, topK: 0, topP: 1, minP: 0, seed: 1};
    for await (const {probabilities} of sequence.evaluateWithMetadata(prompt, {probabilities: true}, options)) {
        const logs = [];
        for (const [token, probability] of probabilities) logs[token] = +Math.log(probability).toFixed(6);
        console.log(JSON.stringify(logs));
        break;
    }
    await context.dispose();
}
for (const text of JSON.parse(texts)) console.log(JSON.stringify(model.tokenize(text)));
process.exit(0);
