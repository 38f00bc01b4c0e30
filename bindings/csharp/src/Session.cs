#nullable enable

using System;
using System.Collections.Generic;

namespace Auricle
{
    /// <summary>What is lost when the ring is full.</summary>
    public enum Overflow
    {
        /// <summary>The frames pushed last.</summary>
        DropNewest = 1,
        /// <summary>The frames that have waited longest.</summary>
        DropOldest = 2,
    }

    /// <summary>How a session is set up; what is left alone is the default.</summary>
    public sealed class SessionOptions
    {
        /// <summary>Rate of the audio that will be pushed, Hz; 1000 to 384000; 0: the model's.</summary>
        public int SampleRate { get; set; }

        /// <summary>Channels of that audio, 1 to 8.</summary>
        public int Channels { get; set; } = 1;

        /// <summary>After so many windows in a row a read gives none although more is waiting; 0: no limit.</summary>
        public int MaxWindowsPerRead { get; set; }

        /// <summary>Distance between windows, seconds; 0: the one in StreamJson, else the manifest's.</summary>
        public double HopSeconds { get; set; }

        /// <summary>How much audio can wait between push and read, seconds, one frame to 600; 0: 2.</summary>
        public double RingSeconds { get; set; }

        /// <summary>What is lost when the ring is full.</summary>
        public Overflow Overflow { get; set; } = Overflow.DropNewest;

        /// <summary>The channel that is heard, counted from 1; 0: the mean of all.</summary>
        public int Channel { get; set; }

        /// <summary>Smoothing and events of this stream in place of the manifest's, JSON: { "events": { "on": 0.6 } }.</summary>
        public string? StreamJson { get; set; }
    }

    /// <summary>
    /// One audio stream. One thread may push (and call Gap and Finish) while another one reads (and calls TryReadEvent and
    /// Wait); Cancel, Pending and Dispose are for any thread. A second thread in the same half gets Status.InvalidState.
    /// How the audio is cut into pieces never changes a score. See auricle_session_create.
    /// </summary>
    public sealed unsafe partial class Session : IDisposable
    {
        readonly SessionHandle handle;
        readonly IReadOnlyList<Output> outputs;

        /// <summary>Starts a stream of a model, which may be disposed at once.</summary>
        public Session(Model model, SessionOptions? options = null)
        {
            if (model == null)
                throw new ArgumentNullException(nameof(model));
            options ??= new SessionOptions();
            Audio.Frames(0, 1, options.Channels);
            fixed (byte* json = Text.Bytes(options.StreamJson, nameof(options.StreamJson)))
            {
                var given = new Native.auricle_session_options
                {
                    struct_size = (uint)sizeof(Native.auricle_session_options),
                    sample_rate = Audio.Unsigned(options.SampleRate, nameof(options.SampleRate)),
                    channels = (uint)options.Channels,
                    max_windows_per_read = Audio.Unsigned(options.MaxWindowsPerRead, nameof(options.MaxWindowsPerRead)),
                    hop_seconds = options.HopSeconds,
                    ring_seconds = options.RingSeconds,
                    overflow = (int)options.Overflow,
                    channel = Audio.Unsigned(options.Channel, nameof(options.Channel)),
                    stream_json = json,
                };
                Check.Thrown(Native.auricle_session_create(model.Open(), &given, out var made));
                handle = new SessionHandle(made);
            }
            (outputs, Channels) = (model.Outputs, options.Channels);
        }

        /// <summary>Channels of the audio that is pushed.</summary>
        public int Channels { get; }

        /// <summary>Whether the stream was finished and everything has been read.</summary>
        public bool Ended { get; private set; }

        // Pushing: for audio callbacks; never blocks, locks or allocates.

        /// <summary>
        /// Pushes interleaved floats, full scale 1.0. False: the ring was full, and frames were lost; the stream goes on, and
        /// DroppedFrames of the results that they touch counts them. The pushing thread. See auricle_session_push_f32.
        /// </summary>
        public bool Push(ReadOnlySpan<float> interleaved)
        {
            int frames = Audio.Frames(interleaved.Length, 1, Channels);
            fixed (float* at = interleaved)
                return Check.Thrown(Native.auricle_session_push_f32(Open(), at, (UIntPtr)(uint)frames)) == Status.Ok;
        }

        /// <summary>Pushes interleaved 16-bit samples. Otherwise as above.</summary>
        public bool Push(ReadOnlySpan<short> interleaved)
        {
            int frames = Audio.Frames(interleaved.Length, 1, Channels);
            fixed (short* at = interleaved)
                return Check.Thrown(Native.auricle_session_push_i16(Open(), at, (UIntPtr)(uint)frames)) == Status.Ok;
        }

        /// <summary>Pushes interleaved samples of any format. Otherwise as above.</summary>
        public bool Push(ReadOnlySpan<byte> interleaved, SampleFormat format)
        {
            int frames = Audio.Frames(interleaved.Length, Audio.SizeOf(format), Channels);
            fixed (byte* at = interleaved)
                return Check.Thrown(Native.auricle_session_push_bytes(Open(), (int)format, at, (UIntPtr)(uint)frames))
                    == Status.Ok;
        }

        /// <summary>Pushes floats that lie in one array for each channel, all of one length. Otherwise as above.</summary>
        public bool PushPlanar(params float[][] channels) => PushPlanar(channels, SampleFormat.F32, 1);

        /// <summary>Pushes samples of any format that lie in one array of bytes for each channel. Otherwise as above.</summary>
        public bool PushPlanar(byte[][] channels, SampleFormat format) => PushPlanar(channels, format, Audio.SizeOf(format));

        bool PushPlanar<T>(T[][] channels, SampleFormat format, int size) where T : unmanaged
        {
            if (channels.Length != Channels)
                throw new ArgumentException($"there are {channels.Length} arrays, and the session has {Channels} channels");
            foreach (var channel in channels)
                if (channel.Length != channels[0].Length)
                    throw new ArgumentException($"a channel has {channel.Length} elements, the first one {channels[0].Length}");
            int frames = Audio.Frames(channels[0].Length, size, 1);
            T[]? Of(int channel) => channel < channels.Length ? channels[channel] : null;
            fixed (T* a = Of(0), b = Of(1), c = Of(2), d = Of(3), e = Of(4), f = Of(5), g = Of(6), h = Of(7))
            {
                var all = stackalloc void*[8] { a, b, c, d, e, f, g, h };
                int status = Native.auricle_session_push_planar_bytes(Open(), (int)format, all, (UIntPtr)(uint)frames);
                return Check.Thrown(status) == Status.Ok;
            }
        }

        /// <summary>Says that the source lost frames here (an overrun of the device, a lost packet). The pushing thread.</summary>
        public void Gap(long lostFrames)
        {
            if (lostFrames < 0)
                throw new ArgumentOutOfRangeException(nameof(lostFrames), lostFrames, "must not be negative");
            Check.Thrown(Native.auricle_session_gap(Open(), (ulong)lostFrames));
        }

        /// <summary>Says that no more input comes. Reads go on to the end of the audio; then Ended is true.</summary>
        public void Finish() => Check.Thrown(Native.auricle_session_finish(Open()));

        // Reading: does the work.

        /// <summary>
        /// Does the work that is due and gives the next window, its scores in a new array. False: there is not enough audio
        /// for it yet, MaxWindowsPerRead was reached, or (see Ended) the stream is over. The reading thread. See
        /// auricle_session_read.
        /// </summary>
        public bool TryRead(out Result result)
        {
            // The array is made only if there is a window: the scores are asked for after the read.
            if (!TryRead(default, null, out var found))
            {
                result = default;
                return false;
            }
            var scores = new float[outputs[0].Size];
            Read(0, scores);
            result = new Result(found, scores);
            return true;
        }

        /// <summary>The same into `scores`, at least as long as there are classes; it allocates nothing.</summary>
        public bool TryRead(Span<float> scores, out Result result)
        {
            fixed (float* at = scores)
            {
                bool read = TryRead(scores.Length, at, out var found);
                result = new Result(found, null);
                return read;
            }
        }

        bool TryRead(int capacity, float* scores, out Native.auricle_result found)
        {
            var result = new Native.auricle_result { struct_size = (uint)sizeof(Native.auricle_result) };
            var status = Check.Thrown(Native.auricle_session_read(Open(), scores, (UIntPtr)(uint)capacity, &result));
            found = result;
            if (status != Status.Ok)
                Ended = status == Status.End;
            return status == Status.Ok;
        }

        /// <summary>Gives the next event that the windows read so far have made. The reading thread.</summary>
        public bool TryReadEvent(out Event found)
        {
            var native = new Native.auricle_event { struct_size = (uint)sizeof(Native.auricle_event) };
            var status = Check.Thrown(Native.auricle_session_read_event(Open(), &native));
            found = new Event(native);
            return status == Status.Ok;
        }

        /// <summary>
        /// Values of an output for the result that the last read gave; returns how many. The reading thread, before it reads
        /// or waits again.
        /// </summary>
        public int Read(int output, Span<float> values)
        {
            UIntPtr count;
            fixed (float* at = values)
                Check.Thrown(Native.auricle_session_output(
                    Open(), (UIntPtr)Audio.Unsigned(output, nameof(output)), at, (UIntPtr)(uint)values.Length, &count));
            return (int)count;
        }

        /// <summary>
        /// Waits until a read has something to give: true; or until the time is over: false. It may answer a few milliseconds
        /// late, and up to 50 ms after Finish. The reading thread; Cancel and Dispose end it.
        /// </summary>
        public bool Wait(TimeSpan timeout)
        {
            double ms = timeout.TotalMilliseconds;
            if (ms < 0 || ms > uint.MaxValue)
                throw new ArgumentOutOfRangeException(nameof(timeout), timeout, $"must be 0 to {uint.MaxValue} milliseconds");
            return Check.Thrown(Native.auricle_session_wait(Open(), (uint)ms)) == Status.Ok;
        }

        // Any thread.

        /// <summary>How many frames were pushed and have not been read yet.</summary>
        public long Pending
        {
            get
            {
                ulong frames;
                Check.Thrown(Native.auricle_session_pending(Open(), &frames));
                return (long)frames;
            }
        }

        /// <summary>Ends waits and reads, with OperationCanceledException, until Reset.</summary>
        public void Cancel() => Check.Thrown(Native.auricle_session_cancel(Open()));

        /// <summary>Forgets the stream: the next frame pushed is frame 0. When neither half is running.</summary>
        public void Reset()
        {
            Check.Thrown(Native.auricle_session_reset(Open()));
            Ended = false;
        }

        /// <summary>Ends the stream, and a read or wait of another thread. Twice is fine.</summary>
        public void Dispose()
        {
            if (handle.IsClosed)
                return;
            try
            {
                Native.auricle_session_cancel(handle);
            }
            catch (ObjectDisposedException)
            {
                return; // another thread was first
            }
            handle.Dispose();
        }

        /// <summary>
        /// The next window of each of many sessions of one model, in as few runs of the network as possible: session i writes
        /// its scores to `scores` from i * ClassCount on, its window to results[i], and what became of it to statuses[i].
        /// Returns whether there was at least one window. The reading thread of all of them. See auricle_read_many.
        /// </summary>
        public static bool ReadMany(
            Session[] sessions, TimeSpan deadline, Span<float> scores, Span<Result> results, Span<Status> statuses)
        {
            int count = sessions.Length, held = 0;
            if (results.Length < count || statuses.Length < count)
                throw new ArgumentException($"there are {count} sessions, {results.Length} results, {statuses.Length} statuses");
            var pointers = new IntPtr[count];
            var native = new Native.auricle_result[count];
            try
            {
                for (; held < count; held++)
                {
                    bool added = false;
                    sessions[held].Open().DangerousAddRef(ref added);
                    pointers[held] = sessions[held].handle.DangerousGetHandle();
                    native[held].struct_size = (uint)sizeof(Native.auricle_result);
                }
                int status;
                fixed (IntPtr* all = pointers)
                fixed (float* values = scores)
                fixed (Native.auricle_result* found = native)
                fixed (Status* became = statuses)
                    status = Native.auricle_read_many(
                        all, (UIntPtr)(uint)count, (uint)deadline.TotalMilliseconds, values, (UIntPtr)(uint)scores.Length, found,
                        (int*)became);
                var summary = Check.Thrown(status);
                for (int i = 0; i < count; i++)
                {
                    results[i] = new Result(native[i], null);
                    sessions[i].Ended = statuses[i] == Status.End;
                }
                return summary == Status.Ok;
            }
            finally
            {
                for (int i = 0; i < held; i++)
                    sessions[i].handle.DangerousRelease();
            }
        }

        SessionHandle Open() => handle.IsClosed ? throw new ObjectDisposedException(nameof(Session)) : handle;
    }
}
