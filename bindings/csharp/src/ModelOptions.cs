#nullable enable

using System;
using System.Collections.Generic;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Auricle
{
    /// <summary>Whether a provider has to run the network.</summary>
    public enum Need
    {
        /// <summary>Loading fails where it cannot run the whole network.</summary>
        Required = 0,
        /// <summary>The next in the list runs it then, in the end the CPU; Model.Describe says what became of it.</summary>
        Preferred = 1,
    }

    /// <summary>A provider of ONNX Runtime that a model is to run on: docs/providers.md has them.</summary>
    public sealed class Provider
    {
        /// <summary>"cpu", "cuda", "coreml" and so on; or the path of a plug-in provider's library, which is code.</summary>
        public Provider(string name, Need need = Need.Required, string? optionsJson = null) =>
            (Name, Need, OptionsJson) = (name, need, optionsJson);

        /// <summary>Its name, or the path of its library.</summary>
        public string Name { get; }

        /// <summary>Whether it has to run the network.</summary>
        public Need Need { get; }

        /// <summary>Options of the provider, a JSON object; null: the defaults.</summary>
        public string? OptionsJson { get; }
    }

    /// <summary>How a model is loaded; what is left alone is the default.</summary>
    public sealed class ModelOptions
    {
        /// <summary>Threads inside one inference, 1 to 256, the calling one among them; 0: 1.</summary>
        public int Threads { get; set; }

        /// <summary>Runs the manifest's golden cases, and refuses a model that does not reproduce them or has none.</summary>
        public bool SelfCheck { get; set; }

        /// <summary>Windows of several sessions that Session.ReadMany may put into one run, 1 to 1024; 0: 1.</summary>
        public int MaxBatch { get; set; }

        /// <summary>Runs on the pool of threads that Library.OpenRuntime has made, beside other models; Threads is 0 then.</summary>
        public bool SharedPool { get; set; }

        /// <summary>Providers that are to run the network, the first before the others; empty: the CPU.</summary>
        public IReadOnlyList<Provider> Providers { get; set; } = Array.Empty<Provider>();

        /// <summary>
        /// Is told "read", "prepare", "warm" or "self_check" and how much of that is done, 0 to 1, on the thread that loads.
        /// What it throws stops the load and comes out of it.
        /// </summary>
        public Action<string, float>? Progress { get; set; }
    }

    /// <summary>The options of one load as C has them, with the memory that they point at.</summary>
    internal sealed unsafe class Loading : IDisposable
    {
        static readonly Native.auricle_progress_fn OnProgress = Told; // lives as long as the process

        readonly List<GCHandle> pins = new List<GCHandle>();
        readonly Action<string, float>? progress;
        GCHandle self;
        ExceptionDispatchInfo? thrown;

        internal Native.auricle_model_options Options;

        internal Loading(ModelOptions given, CancelHandle cancel)
        {
            progress = given.Progress;
            Options.struct_size = (uint)sizeof(Native.auricle_model_options);
            Options.threads = Audio.Unsigned(given.Threads, nameof(given.Threads));
            Options.self_check = given.SelfCheck ? 1u : 0u;
            Options.max_batch = Audio.Unsigned(given.MaxBatch, nameof(given.MaxBatch));
            Options.shared_pool = given.SharedPool ? 1u : 0u;
            Options.cancel = cancel.DangerousGetHandle(); // the caller keeps it while the call runs
            if (given.Providers.Count > 0)
            {
                var providers = new Native.auricle_provider[given.Providers.Count];
                for (int i = 0; i < providers.Length; i++)
                    providers[i] = new Native.auricle_provider
                    {
                        struct_size = (uint)sizeof(Native.auricle_provider),
                        need = (int)given.Providers[i].Need,
                        name = (byte*)Pinned(Text.Bytes(given.Providers[i].Name, nameof(Provider.Name))),
                        options_json = (byte*)Pinned(Text.Bytes(given.Providers[i].OptionsJson, nameof(Provider.OptionsJson))),
                    };
                Options.providers = (Native.auricle_provider*)Pinned(providers);
                Options.provider_count = (UIntPtr)(uint)providers.Length;
            }
            if (progress != null)
            {
                self = GCHandle.Alloc(this);
                Options.progress = Marshal.GetFunctionPointerForDelegate(OnProgress);
                Options.user = GCHandle.ToIntPtr(self);
            }
        }

        /// <summary>Throws what the program's own function has thrown.</summary>
        internal void Rethrow() => thrown?.Throw();

        void* Pinned(Array? array)
        {
            if (array == null)
                return null;
            var pin = GCHandle.Alloc(array, GCHandleType.Pinned);
            pins.Add(pin);
            return (void*)pin.AddrOfPinnedObject();
        }

        [MonoPInvokeCallback(typeof(Native.auricle_progress_fn))]
        static int Told(IntPtr user, byte* stage, float done)
        {
            var loading = (Loading)GCHandle.FromIntPtr(user).Target!;
            try
            {
                loading.progress!(Text.Of(stage), done);
                return 0;
            }
            catch (Exception exception)
            {
                loading.thrown = ExceptionDispatchInfo.Capture(exception);
                return 1;
            }
        }

        public void Dispose()
        {
            foreach (var pin in pins)
                pin.Free();
            pins.Clear();
            if (self.IsAllocated)
                self.Free();
        }
    }

    /// <summary>Unity's ahead-of-time compiler looks for an attribute of this name on what native code calls.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class MonoPInvokeCallbackAttribute : Attribute
    {
        public MonoPInvokeCallbackAttribute(Type type) => Type = type;

        public Type Type { get; }
    }
}
