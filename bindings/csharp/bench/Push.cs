#nullable enable

using System;
using System.Diagnostics;
using System.Globalization;
using Auricle;

/// <summary>
/// Times a push of 10 ms at 48 kHz and a read without a due window, C# and C by turns: `Push.dll MODEL PROGRAM`, the program
/// being bindings/push.c.
/// </summary>
static class Push
{
    const int Frames = 480, Pushes = 50, Rounds = 300;

    static void Main(string[] arguments)
    {
        using var model = Model.Load(arguments[0]);
        using var session = new Session(model, new SessionOptions { SampleRate = 48_000 });
        var start = new ProcessStartInfo(arguments[1], arguments[0]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var c = Process.Start(start)!;
        var (block, scores) = (new float[Frames], new float[model.ClassCount]);
        for (int i = 0; i < Frames; i++)
            block[i] = (i % 97 - 48) / 480f;
        var (here, there, more) = (new double[Rounds], new double[Rounds], new double[Rounds]);
        for (int round = -Rounds; round < Rounds; round++) // the first half is what is compiled at first use
        {
            session.Reset();
            long from = Stopwatch.GetTimestamp();
            for (int i = 0; i < Pushes; i++)
            {
                session.Push(block);
                session.TryRead(scores, out _);
            }
            double each = (Stopwatch.GetTimestamp() - from) * 1e9 / Stopwatch.Frequency / Pushes;
            c.StandardInput.WriteLine();
            c.StandardInput.Flush();
            double of = double.Parse(c.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
            if (round >= 0)
                (here[round], there[round], more[round]) = (each, of, each - of);
        }
        c.StandardInput.Close();
        foreach (var figures in new[] { here, there, more })
            Array.Sort(figures);
        Console.WriteLine(FormattableString.Invariant(
            $"push of 10 ms and a read without a window, medians: C# {here[Rounds / 2]:0} ns, C {there[Rounds / 2]:0} ns, ")
            + FormattableString.Invariant($"{more[Rounds / 2] / 1000:0.00} µs more (target: at most 2)"));
    }
}
