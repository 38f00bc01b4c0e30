#nullable enable

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Auricle;

/// <summary>Errors, cancelling, closing: the language's own exceptions, and never a crash.</summary>
static class LifetimeTests
{
    static Model Load() => Model.Load(Program.Model);

    public static void WhatAModelSays()
    {
        using var model = Load();
        Expect.Same(10, model.ClassCount, "classes");
        Expect.Same(10, model.Labels.Distinct().Count(), "labels");
        Expect.Same(OutputKind.Scores, model.Outputs[0].Kind, "kind");
        Expect.Same(16_000, model.SampleRate, "rate");
        Expect.True(model.Describe().Contains("\"sha256\""), "the record has sums");
        using var other = Model.Load(File.ReadAllBytes(Program.Model));
        Expect.True(model.Labels.SequenceEqual(other.Labels), "labels from memory");
        Expect.True(Library.Version.StartsWith("0."), "version");
        Expect.Same("invalid argument", Library.TextOf(Status.InvalidArgument), "text");
    }

    public static void ErrorsAreTheLibrarysOwnSentences()
    {
        var missing = Expect.Throws<AuricleException>(() => Model.Load("no/ünïcode 音.onnx"), "no/ünïcode 音.onnx");
        Expect.Same(Status.File, missing.Status, "status");
        Expect.Same(Status.Model, Expect.Throws<AuricleException>(() => Model.Load(new byte[100])).Status, "noise");
        Expect.Throws<ArgumentException>(() => Model.Load("a\0b"), "NUL");
        using var model = Load();
        Expect.Throws<AuricleException>(() => new Session(model, new SessionOptions { SampleRate = 10 }), "10");
        Expect.Throws<AuricleException>(() => new Session(model, new SessionOptions { StreamJson = "{" }));
        Expect.Throws<ArgumentOutOfRangeException>(() => new Session(model, new SessionOptions { Channels = 9 }), "1 to 8");
        Expect.Throws<ArgumentOutOfRangeException>(() => new Session(model, new SessionOptions { SampleRate = -1 }));
        Expect.Same(Status.ClipTooShort,
            Expect.Throws<AuricleException>(() => model.Classify(new Clip(new float[0], 1, 16_000))).Status, "clip");
        Expect.Same(Status.BufferTooSmall, Expect.Throws<AuricleException>(
            () => model.Classify(new Clip(new float[16_000], 1, 16_000), new float[3])).Status, "scores");
        Expect.Throws<AuricleException>(() => model.Classify(new Clip(new float[16_000], 1, 16_000), output: 4));
        Expect.Throws<ArgumentException>(() => new Clip(new float[3], 2, 16_000), "3 elements");
        using var session = new Session(model, new SessionOptions { Channels = 2, StreamJson = "{}" });
        Expect.Throws<ArgumentException>(() => session.Push(new float[3]), "3 elements");
        Expect.Throws<ArgumentException>(() => session.PushPlanar(new float[3]), "2 channels");
        Expect.Throws<ArgumentException>(() => session.PushPlanar(new float[3], new float[2]), "2 elements");
        Expect.Same(Status.InvalidState,
            Expect.Throws<AuricleException>(() => session.TryReadEvent(out _)).Status, "there are no events");
        session.Finish();
        Expect.Same(Status.InvalidState, Expect.Throws<AuricleException>(() => session.Push(new float[2])).Status, "finished");
        var noProvider = new ModelOptions { Providers = new[] { new Provider("cuda") } };
        Expect.Same(Status.Provider, Expect.Throws<AuricleException>(() => Model.Load(Program.Model, noProvider)).Status, "cuda");
        var preferred = new ModelOptions { Providers = new[] { new Provider("cuda", Need.Preferred), new Provider("cpu") } };
        using var onCpu = Model.Load(Program.Model, preferred);
        Expect.True(onCpu.Describe().Contains("cuda"), "the record tells of cuda");
    }

    public static void LoadingTellsHowFarItIsAndCanBeStopped()
    {
        var stages = new List<string>();
        using (Model.Load(Program.Model, new ModelOptions { SelfCheck = true, Progress = (stage, done) => stages.Add(stage) }))
            Expect.True(stages.Contains("read") && stages.Contains("self_check"), string.Join(" ", stages));
        Expect.Throws<NotSupportedException>(() =>
            Model.Load(Program.Model, new ModelOptions { Progress = (_, _) => throw new NotSupportedException("enough") }), "enough");
        using var source = new CancellationTokenSource();
        source.Cancel();
        Expect.Throws<OperationCanceledException>(() => Model.Load(Program.Model, null, source.Token));
        using var model = Load();
        Expect.Throws<OperationCanceledException>(
            () => model.Classify(new Clip(new float[16_000], 1, 16_000), cancellationToken: source.Token));
    }

    public static void TheLogGoesWhereItIsSent()
    {
        var said = new List<string>();
        Library.SetLog((level, text) => { lock (said) said.Add($"{level}: {text}"); }, LogLevel.Debug);
        using (Load())
            Library.SetLog(null);
        Expect.True(said.Any(line => line.StartsWith("Info: ")), string.Join("\n", said));
        Expect.Throws<AuricleException>(() => Library.SetLog((_, _) => { }, (LogLevel)9), "9");
    }

    /// <summary>Everything that a thread can be inside of when another one closes.</summary>
    public static async Task ClosingEndsAWaitAtOnce()
    {
        using var model = Load();
        foreach (var end in new Action<Session>[] { session => session.Dispose(), session => session.Cancel() })
        {
            using var session = new Session(model, new SessionOptions { StreamJson = "{ \"events\": { \"on\": 0.5 } }" });
            var waiting = Task.Run(() => session.Wait(TimeSpan.FromMinutes(5)));
            await Task.Delay(50);
            await Ends<OperationCanceledException>(waiting, () => end(session));
        }
        foreach (var end in new Action<Session>[] { session => session.Dispose(), session => session.Cancel() })
        {
            using var session = new Session(model, new SessionOptions { StreamJson = "{ \"events\": { \"on\": 0.5 } }" });
            var windows = Task.Run(async () => { await foreach (var _ in session.ReadAllAsync()) { } });
            await Task.Delay(50);
            await Ends<OperationCanceledException>(windows, () => end(session));
            using var another = new Session(model, new SessionOptions { StreamJson = "{ \"events\": { \"on\": 0.5 } }" });
            var events = Task.Run(async () => { await foreach (var _ in another.ReadEventsAsync()) { } });
            await Task.Delay(50);
            await Ends<OperationCanceledException>(events, () => end(another));
        }
        using var source = new CancellationTokenSource();
        using var last = new Session(model);
        var reading = Task.Run(async () => { await foreach (var _ in last.ReadAllAsync(source.Token)) { } });
        await Task.Delay(50);
        await Ends<OperationCanceledException>(reading, source.Cancel);
    }

    static async Task Ends<T>(Task task, Action end) where T : Exception
    {
        var clock = Stopwatch.StartNew();
        end();
        Expect.True(await Task.WhenAny(task, Task.Delay(5000)) == task, "it went on for 5 s");
        Expect.True(task.Exception?.InnerException is T || task.IsCanceled, $"it ended with {task.Exception}");
    }

    public static void WhatIsClosedSaysSo()
    {
        var model = Load();
        var session = new Session(model, new SessionOptions { StreamJson = "{ \"events\": { \"on\": 0.5 } }" });
        model.Dispose();
        model.Dispose();
        session.Push(new float[16_000]);
        Expect.True(session.TryRead(out _), "a session outlives its model");
        session.Dispose();
        session.Dispose();
        foreach (var use in new Action[]
        {
            () => session.Push(new float[1]), () => session.Push(new short[1]), () => session.Push(new byte[1], SampleFormat.U8),
            () => session.PushPlanar(new float[1]), () => session.Gap(1), session.Finish, () => session.TryRead(out _),
            () => session.TryRead(new float[10], out _), () => session.TryReadEvent(out _), () => session.Read(0, new float[10]),
            () => session.Wait(TimeSpan.Zero), () => _ = session.Pending, session.Cancel, session.Reset,
            () => new Session(model), () => model.Describe(), () => model.Classify(new Clip(new float[16_000], 1, 16_000)),
        })
            Expect.Throws<ObjectDisposedException>(use);
    }

    /// <summary>Pushes, reads and closes race: each ends in its own exception, and the process lives.</summary>
    public static void ClosingDuringCallsIsNoCrash()
    {
        using var model = Load();
        for (int round = 0; round < 200; round++)
        {
            var session = new Session(model);
            void Until(Action use)
            {
                try
                {
                    while (true)
                        use();
                }
                catch (Exception exception) when (exception is ObjectDisposedException || exception is OperationCanceledException)
                {
                }
            }
            var block = new float[160];
            var threads = new Action[]
            {
                () => Until(() => session.Push(block)), () => Until(() => session.TryRead(out _)),
                () => Until(() => _ = session.Pending),
            }.Select(Task.Run).ToArray();
            Thread.Sleep(round % 3);
            session.Dispose();
            Expect.True(Task.WaitAll(threads, 10_000), "a thread goes on");
        }
    }

    public static async Task TwoThreadsInOneHalfAreAnError()
    {
        using var model = Load();
        using var session = new Session(model);
        var waiting = Task.Run(() => session.Wait(TimeSpan.FromMilliseconds(500)));
        await Task.Delay(100);
        Expect.Same(Status.InvalidState, Expect.Throws<AuricleException>(() => session.TryRead(out _)).Status, "second reader");
        Expect.Same(Status.InvalidState, Expect.Throws<AuricleException>(session.Reset).Status, "reset");
        Expect.True(!await waiting, "nothing came");
    }

    public static void TenThousandSessionsLeaveNothing()
    {
        using var model = Load();
        void Rounds(int count, bool forget)
        {
            for (int i = 0; i < count; i++)
            {
                var session = new Session(model, new SessionOptions { RingSeconds = 0.1 });
                session.Push(new float[160]);
                if (!forget)
                    session.Dispose();
                else if (i % 100 == 99)
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                }
            }
        }
        Rounds(1000, false);
        Rounds(500, true);
        // A heap may grow once, by what the collector is late; what leaks grows every time.
        long grown = long.MaxValue;
        for (int attempt = 0; attempt < 3 && grown >= 4; attempt++)
        {
            long before = Resident();
            Rounds(10_000, false);
            Rounds(2000, true); // finalisers free what was forgotten
            grown = (Resident() - before) >> 20;
        }
        Expect.True(grown < 4, $"{grown} MB more than before");
    }

    static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
    }
}
