#nullable enable

using System;
using System.Runtime.InteropServices;

namespace Auricle
{
    /// <summary>
    /// include/auricle.h as it is: its structs and functions under their own names. tests/HeaderTests.cs compares the two.
    /// </summary>
    /// <remarks>
    /// DllImport and not LibraryImport: that is C# 11 with a generator, which Unity does not have. All that crosses is
    /// blittable, so that the generator would have nothing to do but keep the handles, which the runtime does here.
    /// </remarks>
    internal static unsafe class Native
    {
#if UNITY_IOS && !UNITY_EDITOR
        const string Library = "__Internal";
#else
        const string Library = "auricle";
#endif

        /// <summary>AURICLE_ABI_VERSION of the header that these declarations were written from.</summary>
        internal const uint AbiVersion = 1;

#pragma warning disable IDE1006, CS0649 // names of the header; members that only the library writes
        internal struct auricle_provider
        {
            public uint struct_size;
            public int need;
            public byte* name;
            public byte* options_json;
        }

        internal struct auricle_model_options
        {
            public uint struct_size;
            public uint threads;
            public uint self_check;
            public uint max_batch;
            public IntPtr cancel;
            public auricle_provider* providers;
            public UIntPtr provider_count;
            public IntPtr progress;
            public IntPtr user;
            public uint shared_pool;
            public uint reserved;
        }

        internal struct auricle_runtime_options
        {
            public uint struct_size;
            public uint shared_threads;
            public uint known_only;
            public uint reserved;
            public IntPtr thread_start;
            public IntPtr user;
        }

        internal struct auricle_clip_options
        {
            public uint struct_size;
            public uint channel;
            public double hop_seconds;
            public IntPtr cancel;
            public uint output;
            public uint reserved;
        }

        internal struct auricle_session_options
        {
            public uint struct_size;
            public uint sample_rate;
            public uint channels;
            public uint max_windows_per_read;
            public double hop_seconds;
            public double ring_seconds;
            public int overflow;
            public uint channel;
            public byte* stream_json;
        }

        internal struct auricle_result
        {
            public uint struct_size;
            public uint silent;
            public ulong first_frame;
            public ulong end_frame;
            public ulong sequence;
            public float peak_dbfs;
            public float rms_dbfs;
            public float dc_offset;
            public uint late;
            public ulong clipped_frames;
            public ulong non_finite_frames;
            public ulong dropped_frames;
            public ulong gap_frames;
            public ulong inference_nanoseconds;
            public float noise_floor_dbfs;
            public float snr_db;
        }

        internal struct auricle_event
        {
            public uint struct_size;
            public uint is_final;
            public ulong id;
            public ulong class_index;
            public ulong onset_frame;
            public ulong offset_frame;
            public ulong decided_frame;
            public float peak_score;
            public float mean_score;
            public ulong lost_before;
        }

        internal struct auricle_output
        {
            public uint struct_size;
            public int kind;
            public ulong size;
            public double hop_seconds;
        }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate int auricle_progress_fn(IntPtr user, byte* stage, float done);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void auricle_log_fn(IntPtr user, int level, byte* message);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* auricle_status_text(int status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* auricle_last_error();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_cancel_create(out IntPtr cancel);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_cancel_request(CancelHandle cancel);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void auricle_cancel_free(IntPtr cancel);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_model_load(byte* path, auricle_model_options* options, out IntPtr model);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_model_load_memory(
            byte* onnx, UIntPtr size, byte* manifest, auricle_model_options* options, out IntPtr model);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern UIntPtr auricle_model_class_count(ModelHandle model);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* auricle_model_label(ModelHandle model, UIntPtr index);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint auricle_model_sample_rate(ModelHandle model);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_model_describe(ModelHandle model, byte* json, UIntPtr capacity, UIntPtr* needed);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void auricle_model_free(IntPtr model);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_classify_f32(
            ModelHandle model, float* interleaved, UIntPtr frames, uint channels, uint sample_rate, float* scores,
            UIntPtr capacity);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_classify(
            ModelHandle model, int format, void* interleaved, UIntPtr frames, uint channels, uint sample_rate,
            auricle_clip_options* options, float* scores, UIntPtr capacity);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_create(
            ModelHandle model, auricle_session_options* options, out IntPtr session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_reset(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern void auricle_session_free(IntPtr session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_push_f32(SessionHandle session, float* interleaved, UIntPtr frames);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_push_i16(SessionHandle session, short* interleaved, UIntPtr frames);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_push_bytes(SessionHandle session, int format, void* data, UIntPtr frames);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_push_planar_f32(SessionHandle session, float** channels, UIntPtr frames);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_push_planar_bytes(
            SessionHandle session, int format, void** channels, UIntPtr frames);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_gap(SessionHandle session, ulong lost_frames);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_finish(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_read(
            SessionHandle session, float* scores, UIntPtr capacity, auricle_result* result);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_read_event(SessionHandle session, auricle_event* found);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_wait(SessionHandle session, uint timeout_ms);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_cancel(SessionHandle session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_pending(SessionHandle session, ulong* frames);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_read_many(
            IntPtr* sessions, UIntPtr count, uint deadline_ms, float* scores, UIntPtr capacity, auricle_result* results,
            int* statuses);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern UIntPtr auricle_model_output_count(ModelHandle model);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_model_output(ModelHandle model, UIntPtr index, auricle_output* output);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* auricle_model_output_name(ModelHandle model, UIntPtr index);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* auricle_model_output_label(ModelHandle model, UIntPtr index, UIntPtr k);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_session_output(
            SessionHandle session, UIntPtr index, float* values, UIntPtr capacity, UIntPtr* count);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_runtime_open(byte* library);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_runtime_open_with(byte* library, auricle_runtime_options* options);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern int auricle_set_log(IntPtr function, IntPtr user, int level);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern byte* auricle_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        internal static extern uint auricle_abi_version();
#pragma warning restore IDE1006, CS0649
    }
}
