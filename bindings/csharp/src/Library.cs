#nullable enable

using System;
using System.Runtime.InteropServices;

namespace Auricle
{
    /// <summary>How important a message is.</summary>
    public enum LogLevel
    {
        /// <summary>Something did not work.</summary>
        Error = 1,
        /// <summary>It works, but not as it should.</summary>
        Warning = 2,
        /// <summary>What was opened and loaded.</summary>
        Info = 3,
        /// <summary>Details.</summary>
        Debug = 4,
    }

    /// <summary>What belongs to the whole process: versions, ONNX Runtime, the log.</summary>
    public static unsafe class Library
    {
        static readonly Native.auricle_log_fn OnLog = Logged; // lives as long as the process
        static volatile Action<LogLevel, string>? log;

        /// <summary>Version of the library that runs.</summary>
        public static string Version => Text.Of(Native.auricle_version());

        /// <summary>Version of its binary interface.</summary>
        public static int AbiVersion => (int)Native.auricle_abi_version();

        /// <summary>What kind of outcome a status is, in a few words.</summary>
        public static string TextOf(Status status) => Text.Of(Native.auricle_status_text((int)status));

        /// <summary>
        /// Opens ONNX Runtime by the path of its library; null: ORT_DYLIB_PATH, else the file beside this library. Optional:
        /// the first model does it with null. `sharedThreads` makes one pool of threads for all models with SharedPool, 1 to 256,
        /// the calling one among them; 0: none. With `knownOnly` a file is refused that is not one of the official releases that
        /// Auricle knows. Both are for before the first model. See auricle_runtime_open_with. (What C is told of threads that
        /// start is not offered: a thread of ONNX Runtime's would have to become one of .NET's.)
        /// </summary>
        public static void OpenRuntime(string? path = null, int sharedThreads = 0, bool knownOnly = false)
        {
            var options = new Native.auricle_runtime_options
            {
                struct_size = (uint)sizeof(Native.auricle_runtime_options),
                shared_threads = Audio.Unsigned(sharedThreads, nameof(sharedThreads)),
                known_only = knownOnly ? 1u : 0u,
            };
            fixed (byte* at = Text.Bytes(path, nameof(path)))
                Check.Thrown(Native.auricle_runtime_open_with(at, &options));
        }

        /// <summary>
        /// Sends messages up to `level` to `function`, on whatever thread has something to say; null: they go nowhere. What it
        /// throws is lost. Nothing is logged by pushing.
        /// </summary>
        public static void SetLog(Action<LogLevel, string>? function, LogLevel level = LogLevel.Warning)
        {
            var pointer = function == null ? IntPtr.Zero : Marshal.GetFunctionPointerForDelegate(OnLog);
            var before = log;
            log = function ?? before;
            int status = Native.auricle_set_log(pointer, IntPtr.Zero, function == null ? 0 : (int)level);
            log = status < 0 ? before : function;
            Check.Thrown(status);
        }

        [MonoPInvokeCallback(typeof(Native.auricle_log_fn))]
        static void Logged(IntPtr user, int level, byte* message)
        {
            try
            {
                log?.Invoke((LogLevel)level, Text.Of(message));
            }
            catch (Exception)
            {
                // No exception may cross into the library.
            }
        }

        /// <summary>Refuses a library of another binary interface before one of its functions is called with other structs.</summary>
        internal static void Fits()
        {
            uint has = Native.auricle_abi_version();
            if (has != Native.AbiVersion)
                throw new DllNotFoundException(
                    $"the Auricle library has the binary interface {has}; this assembly was made for {Native.AbiVersion}");
        }
    }
}
