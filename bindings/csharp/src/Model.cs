#nullable enable

using System;
using System.Collections.Generic;
using System.Threading;

namespace Auricle
{
    /// <summary>
    /// A network in an ONNX file and its manifest. It never changes: any number of threads may use it at once. Sessions keep
    /// their own reference to it: dispose them in any order.
    /// </summary>
    public sealed unsafe class Model : IDisposable
    {
        readonly ModelHandle handle;

        Model(ModelHandle handle)
        {
            this.handle = handle;
            var outputs = new Output[(int)Native.auricle_model_output_count(handle)];
            for (int i = 0; i < outputs.Length; i++)
                outputs[i] = new Output(handle, i);
            (Outputs, SampleRate) = (outputs, (int)Native.auricle_model_sample_rate(handle));
        }

        /// <summary>
        /// Loads an ONNX file, with the manifest embedded in it or the file beside it that ends in .auricle.json. Takes from
        /// milliseconds to seconds; minutes, where a provider builds an engine. See auricle_model_load.
        /// </summary>
        /// <exception cref="AuricleException">File, Model, Manifest, Mismatch, Runtime, Provider, InvalidArgument, Memory.</exception>
        /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
        public static Model Load(string path, ModelOptions? options = null, CancellationToken cancellationToken = default)
        {
            var name = Text.Bytes(path ?? throw new ArgumentNullException(nameof(path)), nameof(path));
            return Load(options, cancellationToken, (Native.auricle_model_options* o, out IntPtr made) =>
            {
                fixed (byte* at = name)
                    return Native.auricle_model_load(at, o, out made);
            });
        }

        /// <summary>Loads the bytes of an ONNX file. `manifest` is JSON that replaces the embedded one. Otherwise as above.</summary>
        public static Model Load(
            byte[] onnx, string? manifest = null, ModelOptions? options = null, CancellationToken cancellationToken = default)
        {
            if (onnx == null)
                throw new ArgumentNullException(nameof(onnx));
            var json = Text.Bytes(manifest, nameof(manifest));
            return Load(options, cancellationToken, (Native.auricle_model_options* o, out IntPtr made) =>
            {
                fixed (byte* at = onnx, text = json)
                    return Native.auricle_model_load_memory(at, (UIntPtr)(uint)onnx.Length, text, o, out made);
            });
        }

        delegate int Loader(Native.auricle_model_options* options, out IntPtr made);

        static Model Load(ModelOptions? given, CancellationToken token, Loader load)
        {
            Library.Fits();
            using var cancel = Cancelling.Start(token, out var registration);
            using (registration)
            using (var loading = new Loading(given ?? new ModelOptions(), cancel))
            {
                IntPtr made;
                int status;
                fixed (Native.auricle_model_options* options = &loading.Options)
                    status = load(options, out made);
                loading.Rethrow();
                Cancelling.Thrown(status, token);
                return new Model(new ModelHandle(made));
            }
        }

        /// <summary>What it gives; the first is what Classify and Session.TryRead give.</summary>
        public IReadOnlyList<Output> Outputs { get; }

        /// <summary>Labels of the classes of the first output, in the order of the scores.</summary>
        public IReadOnlyList<string> Labels => Outputs[0].Labels;

        /// <summary>Number of scores of every window; if the first output has no labels, of its values.</summary>
        public int ClassCount => Outputs[0].Size;

        /// <summary>Rate that the model works at, Hz. Audio of this rate saves the conversion.</summary>
        public int SampleRate { get; }

        /// <summary>
        /// Scores of one whole clip: the mean of the scores of its windows. `channel` is the one that is heard, counted from
        /// 1; 0: the mean of all. `hopSeconds` is the distance between windows; 0: the manifest's. `output` is the number of
        /// the output that is wanted. Any thread, any number at once. See auricle_classify.
        /// </summary>
        public float[] Classify(
            Clip clip, int channel = 0, double hopSeconds = 0, int output = 0, CancellationToken cancellationToken = default)
        {
            var values = new float[(uint)output < (uint)Outputs.Count ? Outputs[output].Size : 0];
            Classify(clip, values, channel, hopSeconds, output, cancellationToken);
            return values;
        }

        /// <summary>The same into `values`, which is at least as long as the output.</summary>
        public void Classify(
            Clip clip, Span<float> values, int channel = 0, double hopSeconds = 0, int output = 0,
            CancellationToken cancellationToken = default)
        {
            using var cancel = Cancelling.Start(cancellationToken, out var registration);
            using (registration)
            {
                var options = new Native.auricle_clip_options
                {
                    struct_size = (uint)sizeof(Native.auricle_clip_options),
                    channel = Audio.Unsigned(channel, nameof(channel)),
                    hop_seconds = hopSeconds,
                    cancel = cancel.DangerousGetHandle(),
                    output = Audio.Unsigned(output, nameof(output)),
                };
                int status;
                fixed (byte* samples = clip.Bytes)
                fixed (float* at = values)
                    status = Native.auricle_classify(
                        Open(), (int)clip.Format, samples, (UIntPtr)(uint)clip.Frames, (uint)clip.Channels,
                        Audio.Unsigned(clip.SampleRate, nameof(clip.SampleRate)), &options, at, (UIntPtr)(uint)values.Length);
                Cancelling.Thrown(status, cancellationToken);
            }
        }

        /// <summary>The record for traceability, JSON: versions, files, SHA-256 sums, options, providers, the whole manifest.</summary>
        public string Describe()
        {
            var open = Open();
            UIntPtr needed;
            Check.Thrown(Native.auricle_model_describe(open, null, UIntPtr.Zero, &needed));
            var json = new byte[checked((int)needed)];
            fixed (byte* at = json)
            {
                Check.Thrown(Native.auricle_model_describe(open, at, needed, &needed));
                return Text.Of(at);
            }
        }

        /// <summary>Gives this reference to the model back; calls that are running go on, and so do its sessions.</summary>
        public void Dispose() => handle.Dispose();

        internal ModelHandle Open() => handle.IsClosed ? throw new ObjectDisposedException(nameof(Model)) : handle;
    }

    /// <summary>A CancellationToken as the library's switch.</summary>
    internal static class Cancelling
    {
        internal static CancelHandle Start(CancellationToken token, out CancellationTokenRegistration registration)
        {
            if (!token.CanBeCanceled)
            {
                registration = default;
                return new CancelHandle(IntPtr.Zero);
            }
            Check.Thrown(Native.auricle_cancel_create(out var made));
            var handle = new CancelHandle(made);
            registration = token.Register(state => Native.auricle_cancel_request((CancelHandle)state!), handle);
            return handle;
        }

        internal static void Thrown(int status, CancellationToken token)
        {
            if (status == (int)Status.Cancelled)
                token.ThrowIfCancellationRequested();
            Check.Thrown(status);
        }
    }
}
