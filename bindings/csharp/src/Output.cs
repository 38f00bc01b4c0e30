#nullable enable

using System;
using System.Collections.Generic;

namespace Auricle
{
    /// <summary>What the numbers of an output are.</summary>
    public enum OutputKind
    {
        /// <summary>A score for each of its classes.</summary>
        Scores = 1,
        /// <summary>A vector: sounds that are alike have vectors that are.</summary>
        Embedding = 2,
        /// <summary>Other numbers.</summary>
        Values = 3,
    }

    /// <summary>What a model gives. The first output is what Classify and TryRead give.</summary>
    public sealed class Output
    {
        internal unsafe Output(ModelHandle model, int index)
        {
            var place = (UIntPtr)(uint)index;
            var found = new Native.auricle_output { struct_size = (uint)sizeof(Native.auricle_output) };
            Check.Thrown(Native.auricle_model_output(model, place, &found));
            (Name, Kind) = (Text.Of(Native.auricle_model_output_name(model, place)), (OutputKind)found.kind);
            (Size, HopSeconds) = (checked((int)found.size), found.hop_seconds);
            var labels = new string[Kind == OutputKind.Scores ? Size : 0];
            for (int k = 0; k < labels.Length; k++)
                labels[k] = Text.Of(Native.auricle_model_output_label(model, place, (UIntPtr)(uint)k));
            Labels = labels;
        }

        /// <summary>The manifest's name, else the tensor's.</summary>
        public string Name { get; }

        /// <summary>What its numbers are.</summary>
        public OutputKind Kind { get; }

        /// <summary>Values that it has for each result: of scores the number of classes.</summary>
        public int Size { get; }

        /// <summary>From one result to the next, seconds, if the network answers for many moments of a window; else 0.</summary>
        public double HopSeconds { get; }

        /// <summary>Labels of its classes; none unless it has scores.</summary>
        public IReadOnlyList<string> Labels { get; }
    }
}
