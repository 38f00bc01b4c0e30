#nullable enable

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Auricle;

/// <summary>Audio in, numbers out: the bits of C, whatever the blocks, and no loss without a word.</summary>
static class StreamTests
{
    const int Rate = 48_000, Channels = 2;
    const string Rules = "{ \"smoothing_seconds\": 0.3, \"events\": { \"on\": 0.3 } }";

    static readonly Lazy<Model> Shared = new Lazy<Model>(() => Model.Load(Program.Model));

    static Session Made(string? rules = Rules, double ring = 0) =>
        new Session(Shared.Value, new SessionOptions { SampleRate = Rate, Channels = Channels, StreamJson = rules, RingSeconds = ring });

    /// <summary>5 s of noise whose level goes up and down, so that scores and health differ from window to window.</summary>
    static readonly float[] Noise = MakeNoise();

    static float[] MakeNoise()
    {
        var random = new Random(7);
        var noise = new float[5 * Rate * Channels];
        for (int i = 0; i < noise.Length; i++)
            noise[i] = (float)((random.NextDouble() * 2 - 1) * 0.6 * Math.Abs(Math.Sin(i / Channels / 30_000.0)));
        return noise;
    }

    /// <summary>What C says of the same audio: tests of Python use the same program.</summary>
    static string Reference(int block)
    {
        var start = new ProcessStartInfo(Path.Combine(Program.Folder, "reference"))
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
            ArgumentList = { Program.Model, block.ToString(), Rules },
        };
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.BaseStream.Write(MemoryMarshal.AsBytes<float>(Noise));
        process.StandardInput.Close();
        process.WaitForExit();
        Expect.Same(0, process.ExitCode, "the C program");
        return said.Result;
    }

    static uint Bits(float value) => (uint)BitConverter.SingleToInt32Bits(value);

    static string Line(ReadOnlySpan<float> scores)
    {
        var text = new StringBuilder();
        foreach (float score in scores)
            text.Append(' ').Append(Bits(score));
        return text.Append('\n').ToString();
    }

    static string Line(Result r, ReadOnlySpan<float> scores) =>
        $"window {(r.Silent ? 1 : 0)} {r.FirstFrame} {r.EndFrame} {r.Sequence} {Bits(r.PeakDbfs)} {Bits(r.RmsDbfs)} "
        + $"{Bits(r.DcOffset)} {r.ClippedFrames} {r.NonFiniteFrames} {r.DroppedFrames} {r.GapFrames} {Bits(r.NoiseFloorDbfs)} "
        + $"{Bits(r.SnrDb)}{Line(scores)}";

    static string Line(Event e) =>
        $"event {(e.IsFinal ? 1 : 0)} {e.Id} {e.ClassIndex} {e.OnsetFrame} {e.OffsetFrame} {e.DecidedFrame} "
        + $"{Bits(e.PeakScore)} {Bits(e.MeanScore)} {e.LostBefore}\n";

    static void ReadAll(Session session, StringBuilder into)
    {
        var scores = new float[Shared.Value.ClassCount];
        bool fresh = false;
        while (fresh ? session.TryRead(out var result) : session.TryRead(scores, out result))
        {
            into.Append(Line(result, fresh ? result.Scores : scores));
            fresh = !fresh; // both ways of reading give the same
            while (session.TryReadEvent(out var found))
                into.Append(Line(found));
        }
        while (session.TryReadEvent(out var found))
            into.Append(Line(found));
    }

    public static void AnyBlockGivesTheBitsOfC()
    {
        string wanted = Reference(480);
        Expect.True(wanted.Split('\n').Count(line => line.StartsWith("window")) > 10, "C found few windows");
        Expect.True(wanted.Contains("event 1 "), "C found no event");
        foreach (int block in new[] { 1, 7, 480, 4096, 90_000 })
        {
            var found = new StringBuilder("clip" + Line(Shared.Value.Classify(new Clip(Noise, Channels, Rate))));
            using var session = Made(ring: block > Rate ? 3 : 0);
            var waiting = Noise.AsSpan();
            while (waiting.Length > 0)
            {
                var part = waiting[..Math.Min(waiting.Length, block * Channels)];
                Expect.True(session.Push(part), "frames were lost");
                waiting = waiting[part.Length..];
                if (block > 1 || waiting.Length % 4800 == 0)
                    ReadAll(session, found);
            }
            session.Finish();
            ReadAll(session, found);
            Expect.True(session.Ended, "the stream did not end");
            Expect.Same(wanted, found.ToString(), $"blocks of {block}");
        }
    }

    public static void EveryFormatAndPlaneIsTheSameAudio()
    {
        var shorts = Noise.Select(sample => (short)(sample * 32_000)).ToArray();
        var floats = shorts.Select(sample => sample / 32_768f).ToArray();
        string Said(Action<Session, int, int> push)
        {
            using var session = Made(ring: 6);
            for (int at = 0; at < floats.Length; at += 9600)
                push(session, at, 9600);
            session.Finish();
            var found = new StringBuilder();
            ReadAll(session, found);
            return found.ToString();
        }
        float[] Plane(int at, int count, int channel) =>
            Enumerable.Range(0, count / 2).Select(i => floats[at + 2 * i + channel]).ToArray();
        string wanted = Said((session, at, count) => session.Push(floats.AsSpan(at, count)));
        Expect.Same(wanted, Said((session, at, count) => session.Push(shorts.AsSpan(at, count))), "16 bit");
        Expect.Same(wanted, Said((session, at, count) =>
            session.Push(MemoryMarshal.AsBytes(shorts.AsSpan(at, count)), SampleFormat.I16)), "bytes");
        Expect.Same(wanted, Said((session, at, count) =>
            session.PushPlanar(Plane(at, count, 0), Plane(at, count, 1))), "planes");
        Expect.Same(wanted, Said((session, at, count) => session.PushPlanar(
            new[] { 0, 1 }.Select(c => MemoryMarshal.AsBytes(Plane(at, count, c).AsSpan()).ToArray()).ToArray(),
            SampleFormat.F32)), "planes of bytes");
        var clip = Shared.Value.Classify(new Clip(floats, Channels, Rate));
        Expect.True(clip.AsSpan().SequenceEqual(Shared.Value.Classify(new Clip(shorts, Channels, Rate))), "a clip of 16 bit");
    }

    public static async Task AnEnumerationGivesTheSame()
    {
        var wanted = Reference(480).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        using var session = Made();
        var pushing = Task.Run(async () =>
        {
            for (int at = 0; at < Noise.Length; at += 4800)
            {
                while (session.Pending > Rate)
                    await Task.Delay(1);
                session.Push(Noise.AsSpan(at, 4800));
            }
            session.Finish();
        });
        var found = new List<string>();
        await foreach (var result in session.ReadAllAsync())
            found.Add(Line(result, result.Scores).TrimEnd());
        await pushing;
        Expect.Same(string.Join("\n", wanted.Where(line => line.StartsWith("window"))), string.Join("\n", found), "windows");

        session.Reset();
        pushing = Task.Run(async () =>
        {
            for (int at = 0; at < Noise.Length; at += 4800)
            {
                while (session.Pending > Rate)
                    await Task.Delay(1);
                session.Push(Noise.AsSpan(at, 4800));
            }
            session.Finish();
        });
        found.Clear();
        await foreach (var one in session.ReadEventsAsync())
            found.Add(Line(one).TrimEnd());
        await pushing;
        Expect.Same(string.Join("\n", wanted.Where(line => line.StartsWith("event"))), string.Join("\n", found), "events");
    }

    public static void ASlowReaderIsToldOfDrops()
    {
        using var session = Made(ring: 0.5);
        Expect.True(session.Push(Noise.AsSpan(0, Rate / 2 * Channels)), "half a second fits");
        Expect.True(!session.Push(Noise.AsSpan(0, 480 * Channels)), "the ring is full");
        long told = 0;
        var scores = new float[Shared.Value.ClassCount];
        for (int at = 0; at < 2 * Rate * Channels; at += 480 * Channels)
        {
            while (session.TryRead(scores, out var result))
                told = Math.Max(told, result.DroppedFrames);
            session.Push(Noise.AsSpan(at, 480 * Channels));
        }
        Expect.Same(480L, told, "dropped frames");
    }

    public static void GapsAndBrokenSamplesAreCounted()
    {
        using var session = Made();
        var block = Noise.AsSpan(0, Rate * Channels).ToArray();
        (block[0], block[2]) = (float.NaN, 1.5f);
        session.Push(block);
        session.Gap(480);
        session.Push(Noise.AsSpan(0, Rate / 2 * Channels));
        session.Finish();
        long broken = 0, clipped = 0, gap = 0;
        while (session.TryRead(out var result))
            (broken, clipped, gap) = (Math.Max(broken, result.NonFiniteFrames), Math.Max(clipped, result.ClippedFrames),
                Math.Max(gap, result.GapFrames));
        Expect.Same("1 1 480", $"{broken} {clipped} {gap}", "broken, clipped, gap");
    }

    public static void ManySessionsAreReadAtOnce()
    {
        using var model = Model.Load(Program.Model);
        var sessions = Enumerable.Range(0, 3).Select(_ => new Session(model)).ToArray();
        int classes = model.ClassCount;
        var audio = Noise.AsSpan(0, 2 * 16_000).ToArray();
        for (int i = 0; i < 2; i++)
            sessions[i].Push(audio);
        var (scores, results, statuses) = (new float[3 * classes], new Result[3], new Status[3]);
        Expect.True(Session.ReadMany(sessions, TimeSpan.Zero, scores, results, statuses), "there are windows");
        Expect.Same("Ok Ok Again", string.Join(" ", statuses), "statuses");
        using var alone = new Session(model);
        alone.Push(audio);
        Expect.True(alone.TryRead(out var wanted), "a window");
        for (int k = 0; k < 2 * classes; k++)
            Expect.True(Math.Abs(wanted.Scores[k % classes] - scores[k]) < 1e-5, "scores");
        Expect.Same(wanted.EndFrame, results[1].EndFrame, "end");
        sessions[1].Dispose();
        Expect.Throws<ObjectDisposedException>(() => Session.ReadMany(sessions, TimeSpan.Zero, scores, results, statuses));
        sessions[0].Dispose();
        sessions[2].Dispose();
    }

    public static void APushAndAReadWithoutAWindowAllocateNothing()
    {
        using var session = Made();
        var scores = new float[Shared.Value.ClassCount];
        var shorts = new short[960];
        void Round()
        {
            session.Push(Noise.AsSpan(0, 960));
            session.TryRead(scores, out _);
            session.Push(shorts);
            session.TryRead(out _);
        }
        for (int i = 0; i < 20; i++)
            Round();
        session.Reset();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
            Round(); // 0.4 s: no window is due
        Expect.Same(0L, GC.GetAllocatedBytesForCurrentThread() - before, "allocated bytes");
    }
}
