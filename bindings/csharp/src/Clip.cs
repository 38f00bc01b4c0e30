#nullable enable

using System;
using System.Runtime.InteropServices;

namespace Auricle
{
    /// <summary>How the samples of a span of bytes are stored.</summary>
    public enum SampleFormat
    {
        /// <summary>Unsigned 8 bit, 128 is silence.</summary>
        U8 = 1,
        /// <summary>Signed 16 bit.</summary>
        I16 = 2,
        /// <summary>Signed 24 bit, packed into 3 bytes, little-endian.</summary>
        I24 = 3,
        /// <summary>Signed 32 bit.</summary>
        I32 = 4,
        /// <summary>Float, full scale 1.0.</summary>
        F32 = 5,
        /// <summary>Double, full scale 1.0.</summary>
        F64 = 6,
    }

    /// <summary>A recording in memory: a view of interleaved samples, which copies none. Lives as long as its span.</summary>
    public readonly ref struct Clip
    {
        internal readonly ReadOnlySpan<byte> Bytes;
        internal readonly SampleFormat Format;

        /// <summary>Samples of any format. `channels` is 1 to 8, `sampleRate` 1000 to 384000 Hz.</summary>
        public Clip(ReadOnlySpan<byte> samples, SampleFormat format, int channels, int sampleRate)
            : this(samples, format, Audio.Frames(samples.Length, Audio.SizeOf(format), channels), channels, sampleRate) { }

        /// <summary>Floats, full scale 1.0.</summary>
        public Clip(ReadOnlySpan<float> samples, int channels, int sampleRate)
            : this(MemoryMarshal.AsBytes(samples), SampleFormat.F32, Audio.Frames(samples.Length, 1, channels), channels,
                sampleRate) { }

        /// <summary>16-bit samples.</summary>
        public Clip(ReadOnlySpan<short> samples, int channels, int sampleRate)
            : this(MemoryMarshal.AsBytes(samples), SampleFormat.I16, Audio.Frames(samples.Length, 1, channels), channels,
                sampleRate) { }

        Clip(ReadOnlySpan<byte> bytes, SampleFormat format, int frames, int channels, int sampleRate)
        {
            Bytes = bytes;
            (Format, Frames, Channels, SampleRate) = (format, frames, channels, sampleRate);
        }

        /// <summary>How many frames it has.</summary>
        public int Frames { get; }

        /// <summary>How many channels it has.</summary>
        public int Channels { get; }

        /// <summary>Its rate, Hz.</summary>
        public int SampleRate { get; }
    }

    internal static class Audio
    {
        internal static int SizeOf(SampleFormat format) => format switch
        {
            SampleFormat.U8 => 1,
            SampleFormat.I16 => 2,
            SampleFormat.I24 => 3,
            SampleFormat.I32 => 4,
            SampleFormat.F32 => 4,
            SampleFormat.F64 => 8,
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "format must be U8 to F64"),
        };

        /// <summary>Whole frames of `length` units, of which a sample has `size`.</summary>
        internal static int Frames(int length, int size, int channels)
        {
            if (channels < 1 || channels > 8)
                throw new ArgumentOutOfRangeException(nameof(channels), channels, "channels must be 1 to 8");
            int frame = size * channels;
            if (length % frame != 0)
                throw new ArgumentException($"the span has {length} elements, no multiple of {frame}, which is one frame");
            return length / frame;
        }

        internal static uint Unsigned(int value, string name) =>
            value >= 0 ? (uint)value : throw new ArgumentOutOfRangeException(name, value, $"{name} must not be negative");
    }
}
