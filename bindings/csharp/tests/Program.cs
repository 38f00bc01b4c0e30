#nullable enable

using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

/// <summary>
/// Runs every public static method of the classes whose names end in Tests: `Tests.dll FOLDER [PART OF A NAME]`. FOLDER has
/// model.onnx, `facts` (bindings/header.py) and the program `reference` (bindings/reference.c).
/// </summary>
static class Program
{
    public static string Folder = "";

    public static string Model => Path.Combine(Folder, "model.onnx");

    static async Task<int> Main(string[] arguments)
    {
        Folder = arguments[0];
        int passed = 0, failed = 0;
        var classes = typeof(Program).Assembly.GetTypes().Where(type => type.Name.EndsWith("Tests")).OrderBy(type => type.Name);
        foreach (var test in classes.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static)))
        {
            string name = $"{test.DeclaringType!.Name}.{test.Name}";
            if (arguments.Length > 1 && !name.Contains(arguments[1]))
                continue;
            var clock = Stopwatch.StartNew();
            try
            {
                if (test.Invoke(null, null) is Task task)
                    await task;
                passed++;
                Console.WriteLine($"{name}: ok, {clock.ElapsedMilliseconds} ms");
            }
            catch (Exception exception)
            {
                failed++;
                Console.WriteLine($"{name}: FAILED\n{(exception as TargetInvocationException)?.InnerException ?? exception}");
            }
        }
        Console.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 && passed > 0 ? 0 : 1;
    }
}

static class Expect
{
    public static void True(bool holds, string what)
    {
        if (!holds)
            throw new Exception(what);
    }

    public static void Same<T>(T wanted, T found, string what = "") =>
        True(Equals(wanted, found), $"{what}: {wanted} was expected, {found} was found");

    public static T Throws<T>(Action action, string with = "") where T : Exception
    {
        try
        {
            action();
        }
        catch (T exception)
        {
            True(exception.Message.Contains(with), $"'{exception.Message}' does not say '{with}'");
            return exception;
        }
        throw new Exception($"nothing was thrown; {typeof(T).Name} was expected");
    }
}
