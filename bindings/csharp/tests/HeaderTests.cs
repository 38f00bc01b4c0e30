#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using Auricle;

/// <summary>The assembly knows include/auricle.h as it is.</summary>
static class HeaderTests
{
    static readonly Type Native = typeof(Model).Assembly.GetType("Auricle.Native")!;

    static IEnumerable<string[]> Facts(string kind) =>
        File.ReadLines(Path.Combine(Program.Folder, "facts")).Select(line => line.Split(' ')).Where(fact => fact[0] == kind);

    public static void ConstantsAreThoseOfTheHeader()
    {
        static IEnumerable<(string, int)> Of<T>(string before) where T : struct, Enum => Enum.GetNames(typeof(T)).Select(name =>
            (before + string.Concat(name.Select((c, i) => (i > 0 && char.IsUpper(c) ? "_" : "") + char.ToUpper(c))),
                Convert.ToInt32(Enum.Parse(typeof(T), name))));
        var known = Of<Status>("").Concat(Of<SampleFormat>("")).Concat(Of<OutputKind>("")).Concat(Of<Need>(""))
            .Concat(Of<Overflow>("")).Concat(Of<LogLevel>("LOG_")).Append(("ABI_VERSION", Library.AbiVersion));
        var header = Facts("constant").Select(fact => (fact[1], int.Parse(fact[2])))
            .Where(fact => !fact.Item1.StartsWith("VERSION_"));
        Expect.Same(string.Join("\n", header.OrderBy(f => f)), string.Join("\n", known.OrderBy(f => f)), "constants");
        Expect.Same(Native.GetField("AbiVersion", BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue(),
            (uint)Library.AbiVersion, "ABI");
    }

    public static void StructsLieInMemoryAsInC()
    {
        var here = Native.GetNestedTypes(BindingFlags.NonPublic).Where(type => type.IsValueType).ToList();
        Expect.Same(string.Join(" ", Facts("struct").Select(fact => fact[1]).OrderBy(n => n, StringComparer.Ordinal)),
            string.Join(" ", here.Select(type => type.Name).OrderBy(n => n, StringComparer.Ordinal)), "structs");
        foreach (var fact in Facts("struct"))
            Expect.Same(int.Parse(fact[2]), Marshal.SizeOf(here.Single(type => type.Name == fact[1])), fact[1]);
        foreach (var group in Facts("member").GroupBy(fact => fact[1]))
        {
            var type = here.Single(one => one.Name == group.Key);
            var fields = type.GetFields();
            Expect.Same(group.Count(), fields.Length, $"members of {group.Key}");
            foreach (var fact in group)
            {
                var field = fields.Single(one => one.Name == fact[2]);
                Expect.Same(int.Parse(fact[3]), (int)Marshal.OffsetOf(type, fact[2]), string.Join(".", fact[1..3]));
                int size = field.FieldType.IsPointer ? IntPtr.Size : Marshal.SizeOf(field.FieldType);
                Expect.Same(int.Parse(fact[4]), size, $"size of {fact[1]}.{fact[2]}");
            }
        }
    }

    public static void FunctionsTakeAndReturnWhatTheHeaderSays()
    {
        var here = Native.GetMethods(BindingFlags.NonPublic | BindingFlags.Static)
            .Where(method => method.GetCustomAttribute<DllImportAttribute>() != null).ToDictionary(method => method.Name);
        Expect.Same(string.Join(" ", Facts("function").Select(fact => fact[1]).OrderBy(n => n, StringComparer.Ordinal)),
            string.Join(" ", here.Keys.OrderBy(n => n, StringComparer.Ordinal)), "functions");
        foreach (var fact in Facts("function"))
        {
            var method = here[fact[1]];
            var types = method.GetParameters().Select(one => one.ParameterType).Prepend(method.ReturnType).ToList();
            Expect.Same(fact.Length - 2, types.Count, $"parameters of {fact[1]}");
            for (int i = 0; i < types.Count; i++)
                Expect.True(Fits(fact[i + 2], types[i]), $"{fact[1]}: {fact[i + 2]} is {types[i].Name}");
        }
    }

    static bool Fits(string c, Type here)
    {
        var whole = new Dictionary<string, Type>
        {
            ["void"] = typeof(void), ["int32_t"] = typeof(int), ["uint32_t"] = typeof(uint), ["uint64_t"] = typeof(ulong),
            ["size_t"] = typeof(UIntPtr), ["float"] = typeof(float), ["int16_t"] = typeof(short),
            ["auricle_status"] = typeof(int), ["auricle_log_fn"] = typeof(IntPtr),
        };
        if (!c.Contains('*'))
            return here == whole[c];
        var named = new[] { "model", "session", "cancel" }.FirstOrDefault(one => c.Replace("const", "") == $"auricle_{one}*");
        if (named != null)
            return here == typeof(IntPtr) || here.Name.StartsWith(named, StringComparison.OrdinalIgnoreCase);
        if (here.IsByRef || here == typeof(IntPtr).MakePointerType()) // a place for a handle, or many handles
            return c.Count(one => one == '*') == 2 && c.Contains("auricle_");
        if (c == "void*" && here == typeof(IntPtr))
            return true;
        string bare = c.Replace("const", "");
        var target = here;
        while (target.IsPointer)
            (target, bare) = (target.GetElementType()!, bare[..^1]);
        return target.Name == bare || bare == "char" && target == typeof(byte) || bare == "void" && target == typeof(byte)
            || whole.TryGetValue(bare, out var type) && type == target;
    }

    public static void EveryOptionIsAProperty()
    {
        var options = new Dictionary<string, Type>
        {
            ["auricle_model_options"] = typeof(ModelOptions), ["auricle_session_options"] = typeof(SessionOptions),
            ["auricle_provider"] = typeof(Provider), ["auricle_result"] = typeof(Result), ["auricle_event"] = typeof(Event),
            ["auricle_output"] = typeof(Output),
        };
        // Said otherwise: the token of the call, the length of the list, what C passes to a function.
        var not = new[] { "struct_size", "cancel", "provider_count", "user", "reserved" };
        foreach (var fact in Facts("member").Where(fact => options.ContainsKey(fact[1]) && !not.Contains(fact[2])))
        {
            string name = string.Concat(fact[2].Split('_').Select(word => char.ToUpper(word[0]) + word[1..]));
            Expect.True(options[fact[1]].GetProperty(name) != null, $"{options[fact[1]].Name} has no {name}");
        }
        var classify = typeof(Model).GetMethods().Where(method => method.Name == "Classify")
            .SelectMany(method => method.GetParameters()).Select(one => one.Name!.ToLower()).ToHashSet();
        foreach (var fact in Facts("member").Where(fact => fact[1] == "auricle_clip_options"))
            if (fact[2] is not ("struct_size" or "cancel" or "reserved"))
                Expect.True(classify.Contains(fact[2].Replace("_", "")), $"Classify has no {fact[2]}");
    }
}
