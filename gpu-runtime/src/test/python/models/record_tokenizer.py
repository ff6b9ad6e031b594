"""Records how the tokenizers library reads a tiny vocabulary in the form of Gemma's tokenizer.json.

usage: record_tokenizer.py OUT_FOLDER        (needs tokenizers)
"""
import json, os, sys
import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from record_llamacpp import TEXTS

tokens = ["<pad>", "<eos>", "<bos>", "<unk>", *["<0x%02X>" % b for b in range(256)], "\u2581", *"etaoinshrd", "th", "\u2581th",
          "\u2581\u2581"]
tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)},
                                 [("t", "h"), ("\u2581", "th"), ("\u2581", "\u2581")],
                                 unk_token="<unk>", fuse_unk=True, byte_fallback=True))
tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in tokens[:4]] +
                             [AddedToken("<end_of_turn>", special=True, normalized=False)])
texts = []
for text in TEXTS + ["<bos>the<end_of_turn>\nhe"]:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    texts.append({"text": text, "tokens": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
with open(os.path.join(sys.argv[1], "tokenizer-gemma.json"), "w") as f:
    f.write('{"made": "tokenizers %s",\n"tokenizer": %s,\n"texts": %s}\n'
            % (tokenizers.__version__, json.dumps(json.loads(tokenizer.to_str())), json.dumps(texts)))
