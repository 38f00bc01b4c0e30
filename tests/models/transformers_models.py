"""Networks of Hugging Face's Transformers with random weights and the real feature extractors, for compare.py. Weights are
ten times as large as Transformers draws them, so that what comes out depends on what was heard."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
import transformers as hf

CLASSES = {number: f"class {number}" for number in range(7)}
LABELS = {"id2label": CLASSES, "label2id": {label: number for number, label in CLASSES.items()}}
SMALL = dict(num_hidden_layers=2, hidden_size=48, num_attention_heads=4, intermediate_size=96, initializer_range=0.2)
SPEECH = dict(
    SMALL, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4, conv_dim=[32] * 7, classifier_proj_size=16
)


def build(name):
    """Network, extractor, name of its output, axes that any length of audio has."""
    samples = {"input_values": {1: "samples"}}
    if name == "ast":
        config = hf.ASTConfig(**SMALL, problem_type="multi_label_classification", **LABELS)
        return hf.ASTForAudioClassification(config), hf.ASTFeatureExtractor(), "logits", {}
    if name == "wav2vec2":
        config = hf.Wav2Vec2Config(**SPEECH, **LABELS)
        return hf.Wav2Vec2ForSequenceClassification(config), hf.Wav2Vec2FeatureExtractor(), "logits", samples
    if name == "wav2vec2-mask":
        config = hf.Wav2Vec2Config(feat_extract_norm="layer", do_stable_layer_norm=True, **SPEECH, **LABELS)
        extractor = hf.Wav2Vec2FeatureExtractor(return_attention_mask=True)
        axes = dict(samples, attention_mask={1: "samples"})
        return hf.Wav2Vec2ForSequenceClassification(config), extractor, "logits", axes
    if name == "hubert":
        config = hf.HubertConfig(**SPEECH, **LABELS)
        return hf.HubertForSequenceClassification(config), hf.Wav2Vec2FeatureExtractor(), "logits", samples
    if name == "hubert-base":
        axes = dict(samples, last_hidden_state={1: "rows"})
        return hf.HubertModel(hf.HubertConfig(**SPEECH)), hf.Wav2Vec2FeatureExtractor(), "last_hidden_state", axes
    if name == "whisper":
        config = hf.WhisperConfig(
            encoder_layers=2, d_model=48, encoder_attention_heads=4, encoder_ffn_dim=96, decoder_layers=1,
            decoder_attention_heads=4, decoder_ffn_dim=96, classifier_proj_size=16, init_std=0.2, **LABELS
        )
        return hf.WhisperForAudioClassification(config), hf.WhisperFeatureExtractor(), "logits", {}
    if name == "clap":
        config = hf.ClapAudioConfig(
            depths=[1, 1, 1, 1], patch_embeds_hidden_size=16, hidden_size=128, num_attention_heads=[2, 2, 2, 2],
            projection_dim=32, enable_fusion=False
        )
        extractor = hf.ClapFeatureExtractor(truncation="rand_trunc")
        return hf.ClapAudioModelWithProjection(config), extractor, "audio_embeds", {}
    if name == "w2v-bert":
        config = hf.Wav2Vec2BertConfig(
            **SMALL, feature_projection_input_dim=160, classifier_proj_size=16, position_embeddings_type="relative_key",
            left_max_position_embeddings=64, right_max_position_embeddings=8, **LABELS
        )
        axes = {"input_features": {1: "rows"}, "attention_mask": {1: "rows"}}
        return hf.Wav2Vec2BertForSequenceClassification(config), hf.SeamlessM4TFeatureExtractor(), "logits", axes
    raise KeyError(name)


class Traced(torch.nn.Module):
    """One output by name, inputs by place."""

    def __init__(self, network, inputs, output):
        super().__init__()
        self.network, self.inputs, self.output = network, inputs, output

    def forward(self, *values):
        return self.network(**dict(zip(self.inputs, values)))[self.output]


def reference(name, folder):
    """The folder with the export, and what it gives for samples behind the extractor."""
    torch.manual_seed(1)
    folder = Path(folder) / name
    network, extractor, output, axes = build(name)
    network.eval()
    rate = extractor.sampling_rate
    extract = lambda samples: dict(extractor(samples, sampling_rate=rate, return_tensors="pt"))
    example = extract(np.random.default_rng(1).normal(0, 0.1, 2 * rate).astype(np.float32))
    example.pop("is_longer", None)
    folder.mkdir(parents=True, exist_ok=True)
    network.config.save_pretrained(folder)
    extractor.save_pretrained(folder)
    dynamic = {key: {0: "batch", **axes.get(key, {})} for key in [*example, output]}
    torch.onnx.export(
        Traced(network, list(example), output), tuple(example.values()), folder / "model.onnx",
        input_names=list(example), output_names=[output], dynamic_axes=dynamic, opset_version=17, dynamo=False,
    )

    exported = onnxruntime.InferenceSession(str(folder / "model.onnx"))

    def outputs(samples):
        longest = 164080 if name == "ast" else 10 * rate if name == "clap" else 30 * rate
        found = []
        for start in range(0, max(1, len(samples)), longest):
            inputs = extract(samples[start : start + longest])
            inputs.pop("is_longer", None)
            values = exported.run(None, {key: value.numpy() for key, value in inputs.items()})[0][0]
            if output == "logits":
                values = torch.from_numpy(values)
                values = (values.sigmoid() if name == "ast" else values.softmax(-1)).numpy()
            found.append(values.mean(0) if values.ndim == 2 else values)
        return found

    return folder, outputs
