/* Auricle: sound classification for native software. Push PCM, read scores.
 *
 * A complete program. It classifies raw 16-bit stereo at 48 kHz from its standard input, as it arrives:
 *
 *     #include <auricle.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         auricle_model *model = NULL;
 *         auricle_session *session = NULL;
 *         auricle_session_options options;
 *         auricle_result result;
 *         auricle_status status;
 *         int16_t block[480 * 2];                      // 10 ms
 *         float scores[1024];
 *         size_t frames, i, best;
 *
 *         auricle_session_options_init(&options);
 *         options.sample_rate = 48000;
 *         options.channels = 2;
 *         auricle_result_init(&result);
 *         status = auricle_model_load(argc > 1 ? argv[1] : "model.onnx", NULL, &model);
 *         if (status == AURICLE_OK)
 *             status = auricle_session_create(model, &options, &session);
 *         while (status >= AURICLE_OK && status != AURICLE_END) {
 *             frames = fread(block, 2 * sizeof *block, 480, stdin);
 *             if (frames > 0)
 *                 status = auricle_session_push_i16(session, block, frames);
 *             else
 *                 status = auricle_session_finish(session);
 *             while (status >= AURICLE_OK
 *                    && (status = auricle_session_read(session, scores, 1024, &result)) == AURICLE_OK) {
 *                 for (best = 0, i = 1; i < auricle_model_class_count(model); i++)
 *                     if (scores[i] > scores[best])
 *                         best = i;
 *                 printf("%7.2f s  %s %.2f\n", (double)result.first_frame / 48000,
 *                        auricle_model_label(model, best), (double)scores[best]);
 *             }
 *         }
 *         if (status < 0)
 *             fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
 *         auricle_session_free(session);
 *         auricle_model_free(model);
 *         return status < 0;
 *     }
 *
 * CONTENTS, in this order
 *
 * - Statuses: what calls return; auricle_last_error, auricle_status_text
 * - Cancelling: auricle_cancel_create, _request, _free
 * - Providers: what runs a network inside ONNX Runtime
 * - Models: auricle_model_load, _load_memory, _class_count, _label, _sample_rate, _describe, _free
 * - Sample formats: AURICLE_U8 to AURICLE_F64
 * - Whole clips: auricle_classify_f32, auricle_classify
 * - Sessions: auricle_session_create, _reset, _free
 * - Pushing: auricle_session_push_f32 (_i16, _bytes, _planar_f32, _planar_bytes), _gap, _finish
 * - Reading: auricle_session_read, _read_event, _wait, _cancel, _pending
 * - Reading many sessions at once: auricle_read_many
 * - Outputs: auricle_model_output_count, auricle_model_output, _output_name, _output_label, auricle_session_output
 * - ONNX Runtime: auricle_runtime_open, auricle_runtime_open_with
 * - Log: auricle_set_log
 * - Versions: auricle_version, auricle_abi_version
 * - Initialisers: auricle_model_options_init, and one for each other struct
 *
 * CONVENTIONS, valid for every function unless its own text says otherwise
 *
 * Words. A frame is one sample for each channel at one instant. A window is the stretch of audio that one
 * inference sees; the hop is the distance between the starts of two windows. A score is what the model
 * says of one class for one window.
 *
 * Units. Rates are in Hz, lengths and positions of audio in frames, times in seconds where the name ends
 * in _seconds, levels in dBFS, sizes in bytes. Floating-point audio has its full scale at -1.0 to 1.0.
 *
 * Statuses. A function that can fail returns an auricle_status: 0 is success; positive is success of
 * another kind (AURICLE_AGAIN, AURICLE_END, AURICLE_DROPPED, AURICLE_CANCELLED); negative is an error. After an error
 * auricle_last_error() has a sentence with the numbers that fix it, for the thread that saw the error.
 * Any function may also return AURICLE_INTERNAL, and any function that takes a session returns
 * AURICLE_INVALID_STATE after that happened in the session; their texts do not repeat it.
 *
 * Arguments. No pointer may be NULL, except where the text says so, where the count that goes with it is
 * 0, and in the _free functions, where NULL does nothing. A NULL that is not allowed, a count whose bytes
 * would not fit into memory, and a misaligned pointer give AURICLE_INVALID_ARGUMENT. That is as far as a
 * pointer can be checked: what it points at must be what the text says, for as long as the call runs.
 * Outputs are written only on success.
 *
 * Ownership. What a function hands out through a `type **out` belongs to the caller, who ends it with
 * the _free function of that type, once. Strings that a function returns are borrowed: never free them.
 * The library keeps no pointer that it is given, but the log callback, auricle_runtime_options.thread_start, and their
 * user data.
 * A session keeps its own reference to its model: free them in any order.
 *
 * Threads. A `const` handle may be used by any number of threads at once, so models are shared freely. A
 * session has two halves: one thread may push (and call gap and finish) while another one reads (and calls
 * read_event and wait); pending and cancel are for any thread. A program with one thread simply pushes, then
 * reads. A second thread in the same half, and reset while a half is running, get AURICLE_INVALID_STATE
 * and change nothing. free is for when no call runs: that cannot be detected.
 * Pushing is made for audio callbacks: it takes no lock, allocates nothing and makes no system call (but
 * an error puts its sentence together, which allocates). All the work is done by the thread that reads.
 * The library starts no thread, except the ones that auricle_model_options.threads and
 * auricle_runtime_options.shared_threads ask for.
 *
 * Stack. With the bundled network, a thread that loads, reads, waits or classifies needs 64 kB of stack (128 kB on
 * aarch64, the least that Linux gives there), and a thread that only pushes 16 kB. Kernels that other networks use
 * may need more.
 *
 * Floating point. Functions compute in a state of their own and put the caller's back, exception flags
 * included: numbers below the normal range (denormals) count as 0, nothing traps, results are rounded to
 * nearest. So scores do not depend on the caller's state, and a fade to silence costs no more than a tone. The
 * log callback runs in that state too. This holds on x86-64 and AArch64; elsewhere the caller's state is used.
 *
 * Unloading. A program may close the library and open it again, and have several copies of it in one process.
 * It stays in memory nevertheless, once it has opened ONNX Runtime (on Linux, FreeBSD and Android: once it was
 * opened), because ONNX Runtime, which stays open too, calls it. The same goes for a plug-in that the static
 * library is linked into. Before the code of a log callback goes, call auricle_set_log with NULL. The code of a
 * thread_start may not go.
 *
 * fork. The child of a process that had one thread at that moment, none of ONNX Runtime's among it (threads or
 * shared_threads above 1), may use and free what its parent had, and load anew. Any other child may call nothing
 * here until it calls exec: locks that another thread held stay closed in it, and ONNX Runtime's threads are missing.
 *
 * exit. Before exit, or the return from main, end the threads that are inside a call and join them
 * (auricle_cancel_request, auricle_session_cancel): ONNX Runtime's static objects go while they use them.
 * Nothing need be freed before. Destructors of static objects may call nothing here, atexit functions that were
 * registered after the first load may.
 *
 * Signals. A handler may call nothing here. Calls go on when a signal has interrupted them. Neither longjmp nor
 * an exception may leave a callback.
 *
 * Structs. The first member, struct_size, is the size of the struct in the program that made it; the
 * _init function sets it, and everything else to 0, which means "default" for every option. Later
 * versions append members, and the library touches no byte beyond struct_size, so an older program works
 * with a newer library. A newer program works with an older library as long as it leaves the options that
 * the library does not know at 0: they are refused rather than ignored. Results that the library does not
 * know stay as they were. Refused too: a struct_size below that of the first version, or above 4096.
 *
 * Manners. Nothing is printed: see auricle_set_log. No function opens a socket, and none writes a file but into the
 * folder that a provider's option "cache" names. No C++
 * exception, exit or abort crosses this interface; a defect inside the library is caught and returned as
 * AURICLE_INTERNAL.
 *
 * Files. Read are the model, the manifest beside it, ONNX Runtime's library and what that reads of the system
 * (the processor, the time zone); for a provider, the libraries that it needs and its cache. A model reads no other file: one whose weights lie in other files is
 * refused. A path must name a file: pipes, devices and folders are refused, and nothing waits for them.
 *
 * Environment. These variables play a part; ONNX Runtime 1.28.0 for the CPU reads no others.
 * ORT_DYLIB_PATH names ONNX Runtime's library; see auricle_runtime_open. It is ignored in a process that has
 * more rights than who started it (set-user-id, set-group-id, file capabilities).
 * ORT_DISABLE_TELEMETRY is set to 1, unless it has a value, when ONNX Runtime is opened.
 * ORT_LOAD_CONFIG_FROM_MODEL is removed then, because with it ONNX Runtime ignores the settings of its
 * sessions. While the program has set it again, no model loads (AURICLE_RUNTIME).
 * ALLOW_RELEASED_ONNX_OPSET_ONLY=0 lets ONNX Runtime load models for operator sets that are not released.
 * ORT_DISABLE_FLASH_ATTENTION, ORT_GQA_DISABLE_FLASH_ATTENTION, ORT_DISABLE_DECODER_ATTENTION,
 * ORT_MLAS_QKGEMM_S8_APPROX_VNNI, ORT_BEAM_SEARCH_USE_FAST_TOPK and ORT_USE_MLAS_Q4_GEMM_MOE choose between
 * kernels of ONNX Runtime for attention, beam search and mixtures of experts: a model with such operators
 * can be faster or slower, and its scores can differ in their last digits.
 */

/* Generated from src/ffi by `cargo xtask header`. Do not edit. */
#ifndef AURICLE_H
#define AURICLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Define AURICLE_STATIC to link the static library on Windows; elsewhere it makes no difference. */
#if defined(_WIN32) && !defined(AURICLE_STATIC)
#  define AURICLE_API __declspec(dllimport)
#elif defined(__GNUC__)
#  define AURICLE_API __attribute__((visibility("default")))
#else
#  define AURICLE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this header, "MAJOR.MINOR.PATCH". */
#define AURICLE_VERSION "0.1.0"
/** Its first number. */
#define AURICLE_VERSION_MAJOR 0
/** Its second number. */
#define AURICLE_VERSION_MINOR 1
/** Its third number. */
#define AURICLE_VERSION_PATCH 0
/** See auricle_abi_version. */
#define AURICLE_ABI_VERSION 1

/* -------------------------------------------------------------------------------------------------
 * STATUSES AND THE LAST ERROR
 *
 * The numbers are kept for ever and never reused: -1 to -99 the call, -100 to -199 the model, -200 to -299
 * ONNX Runtime, -300 a defect of Auricle. Later versions may add some: treat every negative number as an error.
 */

/** Done. */
#define AURICLE_OK 0

/** Read: not enough audio for the next window yet. Push more, then read again. */
#define AURICLE_AGAIN 1

/** Read: the stream was finished and everything has been read. Free or reset the session. */
#define AURICLE_END 2

/**
 * Push: the ring was full, and frames were lost; the clock of the stream counts them, and so does dropped_frames
 * of the results that they touch. Read more often, or ask for a longer ring.
 */
#define AURICLE_DROPPED 3

/** Read and wait: auricle_session_cancel was called. Free or reset the session. */
#define AURICLE_CANCELLED 4

/** An argument is NULL, out of its range, or does not fit another argument: a mistake in the calling program. */
#define AURICLE_INVALID_ARGUMENT -1

/**
 * The call is not allowed now: push after finish, two threads in the same half of a session, or a session in
 * which AURICLE_INTERNAL happened.
 */
#define AURICLE_INVALID_STATE -2

/** The buffer is too small; the last error says how much is needed. Nothing was consumed: call again with more. */
#define AURICLE_BUFFER_TOO_SMALL -3

/** The clip is too short for the model to see even one row of features. */
#define AURICLE_CLIP_TOO_SHORT -4

/** The memory that the call needs could not be had; the last error says how much. */
#define AURICLE_MEMORY -5

/** A file could not be read. */
#define AURICLE_FILE -100

/** The model is refused: it is damaged, is not ONNX, reads other files, or needs a newer ONNX Runtime. */
#define AURICLE_MODEL -101

/** The model has no manifest, or the manifest is not valid. */
#define AURICLE_MANIFEST -102

/** The manifest and the network contradict each other. */
#define AURICLE_MISMATCH -103

/** ONNX Runtime was not found, could not be opened, or is too old. See auricle_runtime_open. */
#define AURICLE_RUNTIME -200

/** ONNX Runtime failed while running the network, or the network gave a score that is not finite. */
#define AURICLE_INFERENCE -201

/**
 * A provider of ONNX Runtime that was required cannot be had or does not run the network; or one has failed while it
 * ran, and the model has to be loaded anew. The last error has the reason, and what to install.
 */
#define AURICLE_PROVIDER -202

/**
 * A defect of Auricle, caught: please report the last error. If it happened in a session, that session can
 * only be freed; other sessions and the model are not touched.
 */
#define AURICLE_INTERNAL -300

/** What became of a call: 0 success, positive success of another kind, negative an error. */
typedef int32_t auricle_status;

/** What kind of outcome a status is, in a few words, for any number. The string is static. Any thread. */
AURICLE_API
const char *auricle_status_text(int32_t status);

/**
 * What went wrong in the latest call of this thread that failed, with the numbers that fix it, for a person
 * to read; "" if none failed yet. Calls that succeed leave it as it is, so ask only after a failure. UTF-8, one
 * line of at most 4096 bytes: control characters and line ends that come out of a file or a name are escapes such
 * as \n and \u{1b}. Borrowed: valid until the next failure on this thread, or its end. Never NULL.
 */
AURICLE_API
const char *auricle_last_error(void);

/* -------------------------------------------------------------------------------------------------
 * CANCELLING
 *
 * A switch that stops work from another thread: loading a model, its self-check, classifying a clip. (A session has
 * auricle_session_cancel.)
 */

/** A switch. One may be given to any number of calls, at once or one after another. */
typedef struct auricle_cancel auricle_cancel;

/**
 * Makes a switch that is off. `*cancel` then belongs to the caller: auricle_cancel_free.
 *
 * Any thread.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: `cancel` is NULL.
 */
AURICLE_API
auricle_status auricle_cancel_create(auricle_cancel **cancel);

/**
 * Calls that were given this switch return AURICLE_CANCELLED as soon as the kernel of the network that is running
 * ends; calls that are given it later return that at once. It stays on.
 *
 * Any thread but the audio thread: it locks.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: `cancel` is NULL.
 */
AURICLE_API
auricle_status auricle_cancel_request(const auricle_cancel *cancel);

/**
 * Frees a switch; calls that were given it go on. NULL does nothing. No other call with this handle may be running
 * or follow.
 */
AURICLE_API
void auricle_cancel_free(auricle_cancel *cancel);

/* -------------------------------------------------------------------------------------------------
 * PROVIDERS
 *
 * What runs a network inside ONNX Runtime: the CPU, unless auricle_model_options names others. docs/providers.md has them
 * with their options. Nothing falls back in silence: a provider that is required runs the network, or there is no model.
 */

/**
 * The load fails, with ONNX Runtime's reason, where this provider cannot run the network; also where a part of it would
 * run on the CPU instead, unless "cpu" is in the list too.
 */
#define AURICLE_REQUIRED 0

/**
 * Where this provider cannot run the network, the others in the list do, in the end the CPU. auricle_model_describe says
 * what became of it.
 */
#define AURICLE_PREFERRED 1

/** A provider that a model is to run on. Call auricle_provider_init, then set `name` and what should differ from the default. */
typedef struct {
    /** Size of this struct; set by auricle_provider_init. */
    uint32_t struct_size;
    /** AURICLE_REQUIRED or AURICLE_PREFERRED. */
    int32_t need;
    /**
     * "cpu", "cuda", "tensorrt", "tensorrt_rtx", "coreml", "xnnpack", "nnapi", "directml", "qnn", "openvino" or "webgpu";
     * or the path of a plug-in provider's library, which is code that this process will run. UTF-8.
     */
    const char *name;
    /** Options of the provider, a JSON object; NULL: the defaults. */
    const char *options_json;
} auricle_provider;

/**
 * Is told how far a load has come: `stage` is "read", "prepare" (ONNX Runtime and its providers make the network ready:
 * minutes, where engines are built, of which only the beginning and the end are told), "warm" (it runs on silence) or
 * "self_check"; `done` is how much of the stage is done, 0 to 1. `user` is that of auricle_model_options. Called on the
 * thread that loads, while the load runs only. Anything but 0 stops the load, which returns AURICLE_CANCELLED. Neither an
 * exception nor longjmp may leave it.
 */
typedef int32_t (*auricle_progress_fn)(void *user, const char *stage, float done);

/* -------------------------------------------------------------------------------------------------
 * MODELS
 *
 * A model is a network in an ONNX file and a manifest, JSON that says what the network expects and what its
 * scores mean (docs/manifest.md). It never changes, so one model serves any number of sessions and threads.
 */

/**
 * A loaded model. Every function that takes it as `const` may run on any number of threads at once.
 *
 * Made by auricle_model_load and auricle_model_load_memory, ended by auricle_model_free.
 */
typedef struct auricle_model auricle_model;

/** How a model is loaded. Call auricle_model_options_init, then set what should differ from the default. */
typedef struct {
    /** Size of this struct; set by auricle_model_options_init. */
    uint32_t struct_size;
    /** Threads that ONNX Runtime uses inside one inference, 1 to 256, the calling one among them; 0: 1. */
    uint32_t threads;
    /**
     * 1: the manifest's golden cases are run, and a model that does not reproduce them, or has none, is refused
     * (AURICLE_MISMATCH, AURICLE_MANIFEST); 0: they are not.
     */
    uint32_t self_check;
    /**
     * Windows of several sessions that auricle_read_many may put into one run, 1 to 1024; 0: 1. Loading then tries the
     * powers of two up to it, and those are used that cost less time a window than smaller ones. More than 1 needs a
     * network whose first axis is the batch, of any size (else AURICLE_MISMATCH).
     */
    uint32_t max_batch;
    /** Stops loading, and the self-check in it, from another thread; NULL: nothing does. It may be freed at once. */
    const auricle_cancel *cancel;
    /** Providers of ONNX Runtime that are to run the network, the first before the others; NULL: the CPU. */
    const auricle_provider *providers;
    /** How many they are. */
    size_t provider_count;
    /** Is told how far the load has come, and may stop it; NULL: nobody is. */
    auricle_progress_fn progress;
    /** Passed to `progress`. */
    void *user;
    /**
     * 1: the network runs on the pool of threads that auricle_runtime_options.shared_threads has made, beside other models
     * (AURICLE_INVALID_STATE if there is none), and `threads` must be 0; 0: on threads of its own.
     */
    uint32_t shared_pool;
    /** Must be 0. */
    uint32_t reserved;
} auricle_model_options;

/**
 * Loads an ONNX file. The manifest is the one embedded in it (metadata "auricle.manifest"), else the file
 * beside it whose name ends in .auricle.json instead of .onnx. Opens ONNX Runtime if that has not happened.
 *
 * `path` is UTF-8 (on Unix any bytes) and may be relative. `options` may be NULL: all defaults.
 * `*model` then belongs to the caller: auricle_model_free. The files can go afterwards.
 *
 * Any thread. Takes from milliseconds to seconds; minutes, where a provider builds an engine.
 * - AURICLE_OK
 * - AURICLE_CANCELLED: `options->cancel` was requested, or `options->progress` said stop. There is no model.
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or an option is out of its range.
 * - AURICLE_FILE: the file cannot be read, is no file (a pipe, a device, a folder), or is longer than an ONNX file
 *   (2147483647 bytes) or a manifest (16777216 bytes) can be; the last error has the reason.
 * - AURICLE_MODEL: it is damaged, not ONNX, or made for a newer version; or it has weights in other files, or
 *   settings of ONNX Runtime, which no model may bring (`auricle-train stamp` mends both).
 * - AURICLE_MANIFEST: no manifest, or a mistake in it; the last error has the path of the member.
 * - AURICLE_MISMATCH: the manifest does not fit the network (names, sizes, number of labels, or with `self_check`
 *   the scores of a golden case); the last error has both numbers.
 * - AURICLE_MEMORY: what the file or the manifest asks for cannot be had; the last error has its size, if ONNX Runtime
 *   says it.
 * - AURICLE_RUNTIME: ONNX Runtime is missing. See auricle_runtime_open.
 * - AURICLE_INVALID_STATE: `shared_pool` is 1, and ONNX Runtime was not opened with a pool. See
 *   auricle_runtime_open_with.
 * - AURICLE_PROVIDER: a required provider cannot be had, or would leave a part of the network to the CPU; the last error
 *   has ONNX Runtime's reason and what to install.
 */
AURICLE_API
auricle_status auricle_model_load(const char *path,
                                  const auricle_model_options *options,
                                  auricle_model **model);

/**
 * Loads a model from memory, for programs that keep it as a resource.
 *
 * `onnx` points at the `size` bytes of an ONNX file. `manifest` is the manifest's JSON, UTF-8, which replaces
 * an embedded one; NULL uses the embedded one. `options` may be NULL: all defaults. The library copies what
 * it needs: all three can go afterwards. `*model` then belongs to the caller: auricle_model_free.
 *
 * Any thread. Takes from milliseconds to seconds.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, `size` is absurd, the manifest is not UTF-8, or an option is
 *   out of its range.
 * - AURICLE_CANCELLED, AURICLE_MODEL, AURICLE_MANIFEST, AURICLE_MISMATCH, AURICLE_MEMORY, AURICLE_RUNTIME,
 *   AURICLE_INVALID_STATE, AURICLE_PROVIDER: as for auricle_model_load.
 */
AURICLE_API
auricle_status auricle_model_load_memory(const void *onnx,
                                         size_t size,
                                         const char *manifest,
                                         const auricle_model_options *options,
                                         auricle_model **model);

/**
 * Number of classes, which is the number of scores of every window; if the first output has no labels, the number of its
 * values. 0 if `model` is NULL. Any thread.
 */
AURICLE_API
size_t auricle_model_class_count(const auricle_model *model);

/**
 * Label of class `index`, in the order of the scores. UTF-8, borrowed: valid until auricle_model_free.
 * NULL if `model` is NULL, or `index` is not below the number of labels; the last error says which. Any thread.
 */
AURICLE_API
const char *auricle_model_label(const auricle_model *model,
                                size_t index);

/**
 * Rate that the model works at, Hz; 0 if `model` is NULL. Sessions and auricle_classify_f32 take audio of any
 * rate and convert; audio of this rate saves the conversion. Any thread.
 */
AURICLE_API
uint32_t auricle_model_sample_rate(const auricle_model *model);

/**
 * Writes the record for traceability: JSON, UTF-8, with a NUL at its end, that names the versions of Auricle and
 * of ONNX Runtime, the files, their SHA-256 sums, the options, the providers (which of them runs which nodes of the
 * network, on which device, with which libraries; why one is not used), what is known of the memory that the network
 * holds at this moment (docs/providers.md), and the manifest with every default filled in.
 *
 * `*needed` becomes the size of the record in bytes, the NUL among them, also when the record did not fit (the
 * one output that is written with an error). To ask for the size alone give `capacity` 0; `json` may then be
 * NULL. `json` is written only if all of it fits.
 *
 * Any thread.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: `model`, `needed`, or `json` with a `capacity` that is not 0, is NULL.
 * - AURICLE_BUFFER_TOO_SMALL: `capacity` is not 0, but below `*needed`. Call again with a buffer of `*needed` bytes.
 * - AURICLE_MEMORY: the record cannot be written out.
 */
AURICLE_API
auricle_status auricle_model_describe(const auricle_model *model,
                                      char *json,
                                      size_t capacity,
                                      size_t *needed);

/**
 * Gives the caller's reference to a model back. Its labels are no longer valid; its sessions are not touched.
 * NULL does nothing. No other call with this handle may be running or follow.
 */
AURICLE_API
void auricle_model_free(auricle_model *model);

/* -------------------------------------------------------------------------------------------------
 * SAMPLE FORMATS
 */

/** Sample format: unsigned 8 bit, 128 is silence. */
#define AURICLE_U8 1

/** Sample format: signed 16 bit. */
#define AURICLE_I16 2

/** Sample format: signed 24 bit, packed into 3 bytes, little-endian. */
#define AURICLE_I24 3

/** Sample format: signed 32 bit. */
#define AURICLE_I32 4

/** Sample format: float, full scale 1.0. */
#define AURICLE_F32 5

/** Sample format: double, full scale 1.0. */
#define AURICLE_F64 6

/* -------------------------------------------------------------------------------------------------
 * WHOLE CLIPS
 */

/** How a clip is looked at. Call auricle_clip_options_init, then set what should differ from the default. */
typedef struct {
    /** Size of this struct; set by auricle_clip_options_init. */
    uint32_t struct_size;
    /** The channel that is heard, counted from 1; 0: the mean of all. */
    uint32_t channel;
    /** Distance between windows, seconds, one sample of the model to 3600; 0: the manifest's. */
    double hop_seconds;
    /** Stops the call from another thread; NULL: nothing does. It may be freed at once. */
    const auricle_cancel *cancel;
    /** The output that the call gives the mean of (auricle_model_output); 0: the first. */
    uint32_t output;
    /** Leave it 0. */
    uint32_t reserved;
} auricle_clip_options;

/**
 * Scores of one whole clip: the mean of the scores of its windows, which lie the manifest's hop apart. A clip
 * shorter than a window is padded as the manifest says.
 *
 * `interleaved` has `frames` frames of `channels` samples, full scale 1.0; `channels` is 1 to 8, averaged to
 * mono; `sample_rate` is 1000 to 384000 Hz. `scores` has room for `capacity` values and takes one for each
 * class (auricle_model_class_count); what lies behind them is not touched.
 *
 * Any thread, any number at once with the same model.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or a number is out of its range.
 * - AURICLE_BUFFER_TOO_SMALL: `capacity` is below the number of classes.
 * - AURICLE_CLIP_TOO_SHORT: too few frames for even one row of features, 0 for example.
 * - AURICLE_INFERENCE: ONNX Runtime failed; the last error has its reason.
 * - AURICLE_MEMORY: a buffer, or what the network asks for, cannot be had.
 */
AURICLE_API
auricle_status auricle_classify_f32(const auricle_model *model,
                                    const float *interleaved,
                                    size_t frames,
                                    uint32_t channels,
                                    uint32_t sample_rate,
                                    float *scores,
                                    size_t capacity);

/**
 * auricle_classify_f32 for interleaved samples of any format, AURICLE_U8 to AURICLE_F64, with options, which may be
 * NULL: all defaults. `interleaved` needs no alignment. With `options->output` the values are those of another output,
 * the mean over all results too.
 *
 * Any thread, any number at once with the same model.
 * - AURICLE_OK
 * - AURICLE_CANCELLED: `options->cancel` was requested. `scores` are as they were.
 * - AURICLE_INVALID_ARGUMENT, AURICLE_BUFFER_TOO_SMALL, AURICLE_CLIP_TOO_SHORT, AURICLE_INFERENCE, AURICLE_MEMORY:
 *   as for auricle_classify_f32.
 */
AURICLE_API
auricle_status auricle_classify(const auricle_model *model,
                                int32_t format,
                                const void *interleaved,
                                size_t frames,
                                uint32_t channels,
                                uint32_t sample_rate,
                                const auricle_clip_options *options,
                                float *scores,
                                size_t capacity);

/* -------------------------------------------------------------------------------------------------
 * SESSIONS
 *
 * A session is one audio stream. Push into it as audio arrives, in pieces of any size; read until AURICLE_AGAIN.
 * How the audio is cut into pieces never changes a score.
 */

/** When the ring is full: the frames pushed last are lost (the default). */
#define AURICLE_DROP_NEWEST 1

/** When the ring is full: the frames that have waited longest are lost. */
#define AURICLE_DROP_OLDEST 2

/**
 * One audio stream.
 *
 * Made by auricle_session_create; then, for each piece of audio, push and read until AURICLE_AGAIN; at the end
 * of the stream auricle_session_finish and read until AURICLE_END; ended by auricle_session_free.
 */
typedef struct auricle_session auricle_session;

/** How a session is set up. Call auricle_session_options_init, then set what should differ from the default. */
typedef struct {
    /** Size of this struct; set by auricle_session_options_init. */
    uint32_t struct_size;
    /** Rate of the audio that will be pushed, Hz; 1000 to 384000; 0: the model's. */
    uint32_t sample_rate;
    /** Channels of that audio, 1 to 8; 0: 1. */
    uint32_t channels;
    /**
     * After so many windows in a row a read returns AURICLE_AGAIN although more is waiting, so that a loop that reads
     * until then (a frame of a game, say) does a bounded work; the next loop goes on. 0: no limit.
     */
    uint32_t max_windows_per_read;
    /**
     * Distance between windows, seconds, one sample of the model to 3600; 0: the one in stream_json, else the
     * manifest's.
     */
    double hop_seconds;
    /** How much audio can wait between push and read, seconds, one frame to 600; 0: 2. */
    double ring_seconds;
    /** What is lost when the ring is full: AURICLE_DROP_NEWEST or AURICLE_DROP_OLDEST; 0: the newest. */
    int32_t overflow;
    /** The channel that is heard, counted from 1; 0: the mean of all. */
    uint32_t channel;
    /**
     * Smoothing and events of this stream, JSON, in place of the `stream` object of the model's manifest, which
     * docs/manifest.md describes. For example `{ "smoothing_seconds": 0.5, "events": { "on": 0.6 } }`. NULL: the
     * manifest's. It is copied.
     */
    const char *stream_json;
} auricle_session_options;

/**
 * Starts a stream. `options` may be NULL: all defaults. The session keeps its own reference to the model,
 * which may be freed at once. `*session` then belongs to the caller: auricle_session_free.
 *
 * All memory is taken here: about 4 bytes for each sample that the ring holds, and the buffers of the model. For
 * losses 24 bytes more are reserved for each frame of the ring; they are used only if so many wait to be read (the first
 * 1024 cost a push nothing, further ones may cost it a page fault each 170). Of a ring larger than 64 MiB the rest
 * is made ready by the reads, 64 MiB ahead of the pushes.
 *
 * Any thread.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or an option is out of its range; the last error has the
 *   range.
 * - AURICLE_MEMORY: the ring, or a buffer of the model, cannot be had; the last error has its size.
 */
AURICLE_API
auricle_status auricle_session_create(const auricle_model *model,
                                      const auricle_session_options *options,
                                      auricle_session **session);

/**
 * Forgets the stream, finished or not: the next frame pushed is frame 0. Faster than a new session.
 *
 * When neither half is running.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: `session` is NULL.
 * - AURICLE_INVALID_STATE: a thread is pushing or reading.
 */
AURICLE_API
auricle_status auricle_session_reset(auricle_session *session);

/** Ends a session. NULL does nothing. No other call with this handle may be running or follow. */
AURICLE_API
void auricle_session_free(auricle_session *session);

/* -------------------------------------------------------------------------------------------------
 * PUSHING
 *
 * The pushing half of a session, made for audio callbacks.
 */

/**
 * Pushes `frames` frames of interleaved floats, full scale 1.0; `interleaved` has frames * channels of them.
 * Samples that are NaN or infinite are taken as 0 and counted in the result.
 *
 * The pushing thread. Never blocks, locks or allocates, at any number of frames.
 * - AURICLE_OK
 * - AURICLE_DROPPED: the ring is full: auricle_session_pending and `frames` are more than it holds. What does not fit
 *   is lost, or with AURICLE_DROP_OLDEST what has waited longest. Read more often, or ask for a longer ring. The
 *   stream goes on: its clock counts the lost frames.
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `frames` is absurd. Nothing was taken.
 * - AURICLE_INVALID_STATE: the stream was finished (reset it first), or another thread is pushing.
 */
AURICLE_API
auricle_status auricle_session_push_f32(auricle_session *session,
                                        const float *interleaved,
                                        size_t frames);

/** Pushes `frames` frames of interleaved 16-bit samples. Otherwise as auricle_session_push_f32. */
AURICLE_API
auricle_status auricle_session_push_i16(auricle_session *session,
                                        const int16_t *interleaved,
                                        size_t frames);

/**
 * Pushes `frames` frames of interleaved samples of any format: AURICLE_U8 to AURICLE_F64. `data` needs no
 * alignment. A `format` that is none of these gives AURICLE_INVALID_ARGUMENT. Otherwise as
 * auricle_session_push_f32.
 */
AURICLE_API
auricle_status auricle_session_push_bytes(auricle_session *session,
                                          int32_t format,
                                          const void *data,
                                          size_t frames);

/**
 * Pushes `frames` frames of floats that lie in one array for each channel: `channels` has as many pointers as
 * the session has channels, none of them NULL unless `frames` is 0. Otherwise as auricle_session_push_f32.
 */
AURICLE_API
auricle_status auricle_session_push_planar_f32(auricle_session *session,
                                               const float *const *channels,
                                               size_t frames);

/**
 * Pushes `frames` frames of any format, AURICLE_U8 to AURICLE_F64, that lie in one array for each channel.
 * The arrays need no alignment. Otherwise as auricle_session_push_planar_f32.
 */
AURICLE_API
auricle_status auricle_session_push_planar_bytes(auricle_session *session,
                                                 int32_t format,
                                                 const void *const *channels,
                                                 size_t frames);

/**
 * Says that the source lost `lost_frames` frames here (an overrun of the device, a lost packet). The clock of
 * the stream goes on by as many, silence stands in for them, and gap_frames of the results that they touch
 * counts them, so that later results stay in their true place. A gap takes no room in the ring, and any number of
 * them may wait to be read.
 *
 * The pushing thread. Never blocks, locks or allocates.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: `session` is NULL.
 * - AURICLE_INVALID_STATE: as for auricle_session_push_f32.
 */
AURICLE_API
auricle_status auricle_session_gap(auricle_session *session,
                                   uint64_t lost_frames);

/**
 * Says that no more input comes. Reads go on to the end of the audio: if its last stretch fills no whole window,
 * it gets one that is padded as the manifest says, unless it has not one new row of features. Then they
 * return AURICLE_END. Finishing twice is fine.
 *
 * The pushing thread. Never blocks, locks or allocates.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: `session` is NULL.
 * - AURICLE_INVALID_STATE: another thread is pushing.
 */
AURICLE_API
auricle_status auricle_session_finish(auricle_session *session);

/* -------------------------------------------------------------------------------------------------
 * READING
 *
 * The reading half of a session: windows with their scores, and events.
 */

/**
 * Where a window lies in the stream, and what state its audio is in. Call auricle_result_init once; every read
 * that returns AURICLE_OK then fills it anew. Frames are the program's, as it pushed them, counted from 0; the
 * delays of conversion and features are taken out. Levels, and the counts of clipped and non-finite frames, are
 * taken in stretches of 10 ms: those that end in the window.
 */
typedef struct {
    /** Size of this struct; set by auricle_result_init. */
    uint32_t struct_size;
    /** 1 if the RMS is below -80 dBFS, else 0. */
    uint32_t silent;
    /** First frame of the window. */
    uint64_t first_frame;
    /** One past its last frame. */
    uint64_t end_frame;
    /** Number of the window on the grid of hops. A window that lies wholly in a gap is left out, its number too. */
    uint64_t sequence;
    /** Highest absolute sample over all channels, dBFS; minus infinity for digital silence. */
    float peak_dbfs;
    /** Root mean square of the mono signal, dBFS; minus infinity for digital silence. */
    float rms_dbfs;
    /** Mean of the mono signal, full scale 1.0. Far from 0 means a faulty source. */
    float dc_offset;
    /** 1 if the inference took longer than a hop, else 0: the machine cannot keep up with the stream. */
    uint32_t late;
    /** Frames with a sample at full scale: the source was too loud. */
    uint64_t clipped_frames;
    /** Frames with a sample that was NaN, infinite or absurd, and was taken as 0. */
    uint64_t non_finite_frames;
    /**
     * Frames of the window lost because the ring was full (AURICLE_DROPPED): exact, however many losses there were.
     * They were taken as silence.
     */
    uint64_t dropped_frames;
    /** Frames of the window that lie in gaps (auricle_session_gap): exact as well. They were taken as silence. */
    uint64_t gap_frames;
    /** How long ONNX Runtime took, nanoseconds. */
    uint64_t inference_nanoseconds;
    /**
     * Estimate of the steady noise, dBFS: the level that the quietest tenth of the last 5 seconds does not exceed,
     * in stretches of 10 ms without DC; minus infinity for digital silence. A sound that lasts longer counts as noise.
     */
    float noise_floor_dbfs;
    /** Power of the window above the noise floor, to the noise floor, dB; minus infinity if nothing is above it. */
    float snr_db;
} auricle_result;

/**
 * A sound from its onset to its offset. It is reported twice with the same id: provisional as soon as its class is on
 * for long enough, and final once it is over. Call auricle_event_init once; every auricle_session_read_event that
 * returns AURICLE_OK then fills it anew. Frames are the program's.
 */
typedef struct {
    /** Size of this struct; set by auricle_event_init. */
    uint32_t struct_size;
    /** 1 if the event is over and will not change any more, else 0. */
    uint32_t is_final;
    /** Number of the event in its stream, from 1. */
    uint64_t id;
    /** Index of the class: auricle_model_label. */
    uint64_t class_index;
    /** First frame of the sound, to about a hop. */
    uint64_t onset_frame;
    /** One past its last frame, to about a hop; of a provisional event, how far it has been heard. */
    uint64_t offset_frame;
    /** End of the window that decided it. */
    uint64_t decided_frame;
    /** Highest score of its windows. */
    float peak_score;
    /** Mean score of its windows. */
    float mean_score;
    /** Events that were given up just before this one, because 256 of them waited. */
    uint64_t lost_before;
} auricle_event;

/**
 * Does the work that is due (conversion, features, inference) and gives the next window's scores. Call it until
 * it returns something else than AURICLE_OK.
 *
 * `scores` has room for `capacity` values and takes one for each class (auricle_model_class_count); what lies
 * behind them is not touched. A capacity of 0, with NULL: only events are wanted. `result` takes the
 * place of the window and the state of its audio; prepare it once with auricle_result_init. Both are written with AURICLE_OK only.
 *
 * The reading thread. Takes as long as an inference when a window is due.
 * - AURICLE_OK: one window was written; there may be more.
 * - AURICLE_AGAIN: not enough audio yet: push more first. Or max_windows_per_read was reached.
 * - AURICLE_END: the stream was finished and all of it has been read.
 * - AURICLE_CANCELLED: auricle_session_cancel was called.
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `result` was not prepared. Nothing was consumed.
 * - AURICLE_BUFFER_TOO_SMALL: `capacity` is below the number of classes. Nothing was consumed.
 * - AURICLE_CLIP_TOO_SHORT: the stream was finished before the model could see even one row of features. It has
 *   no windows; the next read gives AURICLE_END.
 * - AURICLE_INFERENCE, AURICLE_MODEL: ONNX Runtime failed; the last error has its reason. This window is lost;
 *   the next read goes on behind it.
 * - AURICLE_MEMORY: what the network asks for, or the buffers for a thread that reads for the first time, cannot be
 *   had. This window is lost; the next read goes on behind it.
 * - AURICLE_INVALID_STATE: another thread is reading.
 */
AURICLE_API
auricle_status auricle_session_read(auricle_session *session,
                                    float *scores,
                                    size_t capacity,
                                    auricle_result *result);

/**
 * Gives the next event that the windows read so far have made. Call it, after reading, until it returns something
 * else than AURICLE_OK. `event` is written with AURICLE_OK only; prepare it once with auricle_event_init.
 *
 * The reading thread. Short.
 * - AURICLE_OK: one event was written; there may be more.
 * - AURICLE_AGAIN: none is waiting.
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `event` was not prepared.
 * - AURICLE_INVALID_STATE: neither the manifest's `stream` nor stream_json has `events`; or another thread is
 *   reading.
 */
AURICLE_API
auricle_status auricle_session_read_event(auricle_session *session,
                                          auricle_event *event);

/**
 * Waits until a read has something to give, for at most `timeout_ms` milliseconds: for programs with a thread of
 * their own for reading. Audio that comes in meanwhile is taken out of the ring. Pushing makes no system call and so
 * wakes nobody; the waiting thread sleeps until the next window can be due, and looks again: it may answer a
 * few milliseconds late, and up to 50 ms after auricle_session_finish.
 *
 * The reading thread.
 * - AURICLE_OK: read now.
 * - AURICLE_AGAIN: nothing came in that time.
 * - AURICLE_CANCELLED: auricle_session_cancel was called.
 * - AURICLE_INVALID_ARGUMENT: `session` is NULL.
 * - AURICLE_INVALID_STATE: another thread is reading.
 */
AURICLE_API
auricle_status auricle_session_wait(auricle_session *session,
                                    uint32_t timeout_ms);

/**
 * Wakes a thread that waits in auricle_session_wait, and ends a running inference as soon as its running kernel
 * does. Waits and reads return AURICLE_CANCELLED from now on, until auricle_session_reset: to end a reading thread.
 *
 * Any thread but the audio thread: it locks.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: `session` is NULL.
 */
AURICLE_API
auricle_status auricle_session_cancel(auricle_session *session);

/**
 * Says how many frames were pushed and have not been read yet: how far the reading thread is behind.
 *
 * Any thread. Never blocks, locks or allocates.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL.
 */
AURICLE_API
auricle_status auricle_session_pending(auricle_session *session,
                                       uint64_t *frames);

/* -------------------------------------------------------------------------------------------------
 * READING MANY SESSIONS AT ONCE
 */

/**
 * Gives the next window of each of `count` sessions, all of one model: what as many auricle_session_read would give, but
 * windows that are ready go through the network together, up to auricle_model_options.max_batch in a run. On a GPU that
 * is what makes hundreds of streams cheap. The scores are those of single reads but for their last digits.
 *
 * Waits until every session has a window or its end, for at most `deadline_ms` milliseconds, then scores those that are
 * ready. Session i writes its scores to `scores` from `i * classes` on, classes being auricle_model_class_count, its
 * window to `results[i]` (each prepared with auricle_result_init), and what its read would have returned to
 * `statuses[i]`; scores and result are written with AURICLE_OK there only. The last error is that of the last session
 * that failed.
 *
 * The reading thread of all these sessions. A session's cancel does not end a run that others share.
 * - AURICLE_OK: at least one window was written; `statuses` has what became of each session.
 * - AURICLE_AGAIN: none was; `statuses` says why.
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, a result was not prepared, or the sessions have different models.
 *   Nothing was consumed.
 * - AURICLE_BUFFER_TOO_SMALL: `capacity` is below `count * classes`. Nothing was consumed.
 * - AURICLE_MEMORY: the lists of the call cannot be had.
 */
AURICLE_API
auricle_status auricle_read_many(auricle_session *const *sessions,
                                 size_t count,
                                 uint32_t deadline_ms,
                                 float *scores,
                                 size_t capacity,
                                 auricle_result *results,
                                 auricle_status *statuses);

/* -------------------------------------------------------------------------------------------------
 * OUTPUTS
 *
 * A model has at least one output. The first is what auricle_session_read and auricle_classify_f32 give; the values of
 * all of them can be had for each result. A model whose first output has no labels gives vectors.
 */

/** The output has a score for each of its classes. */
#define AURICLE_SCORES 1

/** The output is a vector: sounds that are alike have vectors that are. */
#define AURICLE_EMBEDDING 2

/** The output has other numbers. */
#define AURICLE_VALUES 3

/** What an output is. Call auricle_output_init once; auricle_model_output then fills it. */
typedef struct {
    /** Size of this struct; set by auricle_output_init. */
    uint32_t struct_size;
    /** AURICLE_SCORES, AURICLE_EMBEDDING or AURICLE_VALUES. */
    int32_t kind;
    /** Values that it has for each result: of scores the number of classes. */
    uint64_t size;
    /** From one result to the next, seconds, if the network answers for many moments of a window; else 0. */
    double hop_seconds;
} auricle_output;

/** Number of outputs, at least 1; 0 if `model` is NULL. Any thread. */
AURICLE_API
size_t auricle_model_output_count(const auricle_model *model);

/**
 * Says what output `index` is. `output` is written with AURICLE_OK only; prepare it once with auricle_output_init. Any
 * thread.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, `output` was not prepared, or `index` is not below
 *   auricle_model_output_count.
 */
AURICLE_API
auricle_status auricle_model_output(const auricle_model *model,
                                    size_t index,
                                    auricle_output *output);

/**
 * Name of output `index`: the manifest's, else the tensor's. UTF-8, borrowed: valid until auricle_model_free. NULL if
 * `model` is NULL or `index` is not below auricle_model_output_count; the last error says which. Any thread.
 */
AURICLE_API
const char *auricle_model_output_name(const auricle_model *model,
                                      size_t index);

/**
 * Label of class `k` of output `index`, which has scores. UTF-8, borrowed: valid until auricle_model_free. NULL if
 * `model` is NULL, `index` is not below auricle_model_output_count, or `k` is not below the number of its labels; the
 * last error says which. Any thread.
 */
AURICLE_API
const char *auricle_model_output_label(const auricle_model *model,
                                       size_t index,
                                       size_t k);

/**
 * Writes the values of output `index` for the result that the last auricle_session_read gave: of the first output
 * what that read wrote, smoothed if the stream is; of others as the network gives them. `*count` becomes the number of
 * values, which auricle_model_output says before. Both are written with AURICLE_OK only.
 *
 * The reading thread, before it reads or waits again. Short.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: a pointer is NULL, or `index` is not below auricle_model_output_count.
 * - AURICLE_BUFFER_TOO_SMALL: `capacity` is below the number of values.
 * - AURICLE_INVALID_STATE: nothing was read yet, or the thread has read or waited again since; or another thread is
 *   reading.
 */
AURICLE_API
auricle_status auricle_session_output(auricle_session *session,
                                      size_t index,
                                      float *values,
                                      size_t capacity,
                                      size_t *count);

/* -------------------------------------------------------------------------------------------------
 * ONNX RUNTIME
 *
 * The library computes with ONNX Runtime 1.24 or newer, a shared library that is opened when it is first needed.
 */

/**
 * Is called on each thread that ONNX Runtime starts, before the thread does anything else: to give it a priority, the
 * cores that it may run on, or a name. `user` is that of auricle_runtime_options. Several threads may be in it at once. It
 * may call nothing of Auricle. Neither an exception nor longjmp may leave it.
 */
typedef void (*auricle_thread_fn)(void *user);

/** How ONNX Runtime is opened. Call auricle_runtime_options_init, then set what should differ from the default. */
typedef struct {
    /** Size of this struct; set by auricle_runtime_options_init. */
    uint32_t struct_size;
    /**
     * Threads of one pool for all models that are loaded with auricle_model_options.shared_pool, 1 to 256, the thread that
     * reads or classifies among them; 0: there is no pool. All but that one start at once, stay, and never spin.
     */
    uint32_t shared_threads;
    /**
     * 1: a library file is refused (AURICLE_RUNTIME) unless its SHA-256 sum is that of an official release that this
     * version of Auricle knows (docs/providers.md lists them); 0: any is opened.
     */
    uint32_t known_only;
    /** Must be 0. */
    uint32_t reserved;
    /**
     * Is told of each thread that ONNX Runtime starts, for the pool and for models (auricle_model_options.threads above
     * 1); NULL: nobody is. It stays set for the life of the process, and so must `user` stay valid.
     */
    auricle_thread_fn thread_start;
    /** Passed to `thread_start`. */
    void *user;
} auricle_runtime_options;

/**
 * Opens ONNX Runtime. Optional: loading the first model does it with NULL. A program that brings its own
 * ONNX Runtime calls this first.
 *
 * `library` is the path of the library file (onnxruntime.dll, libonnxruntime.so.1.28.0,
 * libonnxruntime.1.28.0.dylib). NULL looks at the environment variable ORT_DYLIB_PATH (but not in a process that
 * has more rights than who started it), then for that file in the folder of the Auricle library, whichever way that
 * was opened, and in the folder "lib" beside that if it is called "bin", where programs lie that have the static library.
 *
 * Before it is opened, the environment variable ORT_DISABLE_TELEMETRY of this process is set to 1 unless it has a
 * value: ONNX Runtime 1.29 and newer would otherwise write and upload usage data. ORT_LOAD_CONFIG_FROM_MODEL is
 * removed if it is there: models would change the settings of sessions. The C library does not let one thread set
 * a variable while another one reads it, so a program whose other threads call getenv opens ONNX Runtime before it
 * starts them.
 *
 * It is opened once, for the life of the process. A later call with NULL or with the same file does nothing;
 * with another file it fails and says which one is open.
 *
 * Any thread; others that need ONNX Runtime wait.
 * - AURICLE_OK
 * - AURICLE_RUNTIME: it was not found, is no library, is built for another processor, is not ONNX Runtime, or is
 *   too old; the last error names the file that was tried and the reason. Call again with another path.
 * - AURICLE_INVALID_STATE: another file is open already.
 */
AURICLE_API
auricle_status auricle_runtime_open(const char *library);

/**
 * auricle_runtime_open with options, which may be NULL: all defaults. It is for before the first model, because a later
 * call changes nothing: it may ask for what is there, and what it leaves 0 it does not ask for.
 *
 * With `known_only` the file is read and compared before it is opened. Who may write into its folder could change it
 * between the two. A file that was changed after Microsoft published it (signed anew for an app store, stripped) is not
 * known, nor is one that an app or its linker finds by name (Android, iOS).
 *
 * Where several copies of Auricle open the same ONNX Runtime, the pool is that of the first; where that has none, models
 * with `shared_pool` are refused by ONNX Runtime (AURICLE_MODEL).
 *
 * Any thread; others that need ONNX Runtime wait.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: an option is out of its range.
 * - AURICLE_RUNTIME: as for auricle_runtime_open; or, with `known_only`, the file is not known, and the last error has its
 *   sum and those that are. It was not opened.
 * - AURICLE_INVALID_STATE: ONNX Runtime is open already, from another file, or not as `options` ask.
 */
AURICLE_API
auricle_status auricle_runtime_open_with(const char *library,
                                         const auricle_runtime_options *options);

/* -------------------------------------------------------------------------------------------------
 * LOG
 */

/** Something did not work. */
#define AURICLE_LOG_ERROR 1

/** It works, but not as it should. */
#define AURICLE_LOG_WARNING 2

/** What was opened and loaded. */
#define AURICLE_LOG_INFO 3

/** Details. */
#define AURICLE_LOG_DEBUG 4

/**
 * Takes a message. `user` is what auricle_set_log was given, `level` one of the AURICLE_LOG numbers, `message`
 * UTF-8 like that of auricle_last_error (one line, nothing that a terminal obeys) and valid during the call only. It
 * is called on whatever thread has something to say, by several at once: it must be safe for that. It may call
 * Auricle. (If it loads models, call auricle_runtime_open before setting it: a load waits until ONNX Runtime is open, and
 * a warning may come during that.) Neither an exception nor longjmp may leave it.
 */
typedef void (*auricle_log_fn)(void *user, int32_t level, const char *message);

/**
 * Sends messages up to `level` (one of the AURICLE_LOG numbers) to `function`, which gets `user` with each.
 * Without it, and with `function` NULL, messages go nowhere; NULL ignores `level`. Each copy of the library in
 * a process has one log. What ONNX Runtime says of a model goes to the copy that loaded it; its warnings and errors
 * that belong to no model, to the copy that opened it first. Nothing is ever logged by the push functions.
 *
 * `user` may be NULL. Both must stay valid until another call replaces them, and a little longer: a call to
 * the old function that is running on another thread goes on.
 *
 * Any thread.
 * - AURICLE_OK
 * - AURICLE_INVALID_ARGUMENT: `level` is none of the numbers. The log is as it was.
 */
AURICLE_API
auricle_status auricle_set_log(auricle_log_fn function,
                               void *user,
                               int32_t level);

/* -------------------------------------------------------------------------------------------------
 * VERSIONS
 *
 * The AURICLE_VERSION macros are those of the header that the program was compiled with; the functions tell
 * those of the library that it runs with.
 */

/** Version of the library, "MAJOR.MINOR.PATCH". The string is static. Any thread. */
AURICLE_API
const char *auricle_version(void);

/**
 * Version of the library's binary interface. A program runs with a library whose number equals the
 * AURICLE_ABI_VERSION that it was compiled with: MINOR below 1.0.0, then MAJOR * 1000. The file name of the
 * library carries it too (libauricle.so.0.MINOR, later libauricle.so.MAJOR), so the question arises only
 * for programs that load the library by hand. Any thread.
 */
AURICLE_API
uint32_t auricle_abi_version(void);

/* -------------------------------------------------------------------------------------------------
 * INITIALISERS
 *
 * They are compiled into the program, so that struct_size is the size that the program knows. They
 * set every other member to 0, the default. NULL does nothing. */

/** Prepares options for auricle_model_load and auricle_model_load_memory. */
static inline void auricle_model_options_init(auricle_model_options *options)
{
    if (options) {
        memset(options, 0, sizeof *options);
        options->struct_size = sizeof *options;
    }
}

/** Prepares a provider for auricle_model_options; set its name then. */
static inline void auricle_provider_init(auricle_provider *provider)
{
    if (provider) {
        memset(provider, 0, sizeof *provider);
        provider->struct_size = sizeof *provider;
    }
}

/** Prepares an output for auricle_model_output. Once is enough for any number of calls. */
static inline void auricle_output_init(auricle_output *output)
{
    if (output) {
        memset(output, 0, sizeof *output);
        output->struct_size = sizeof *output;
    }
}

/** Prepares options for auricle_classify. */
static inline void auricle_clip_options_init(auricle_clip_options *options)
{
    if (options) {
        memset(options, 0, sizeof *options);
        options->struct_size = sizeof *options;
    }
}

/** Prepares options for auricle_session_create. */
static inline void auricle_session_options_init(auricle_session_options *options)
{
    if (options) {
        memset(options, 0, sizeof *options);
        options->struct_size = sizeof *options;
    }
}

/** Prepares a result for auricle_session_read. Once is enough for any number of reads. */
static inline void auricle_result_init(auricle_result *result)
{
    if (result) {
        memset(result, 0, sizeof *result);
        result->struct_size = sizeof *result;
    }
}

/** Prepares an event for auricle_session_read_event. Once is enough for any number of reads. */
static inline void auricle_event_init(auricle_event *event)
{
    if (event) {
        memset(event, 0, sizeof *event);
        event->struct_size = sizeof *event;
    }
}

/** Prepares options for auricle_runtime_open_with. */
static inline void auricle_runtime_options_init(auricle_runtime_options *options)
{
    if (options) {
        memset(options, 0, sizeof *options);
        options->struct_size = sizeof *options;
    }
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* AURICLE_H */
