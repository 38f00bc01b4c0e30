//! Auricle: sound classification for native software. Push PCM, read scores.
//!
//! A complete program. It classifies raw 16-bit stereo at 48 kHz from its standard input, as it arrives:
//!
//! ```c
//! #include <auricle.h>
//! #include <stdio.h>
//!
//! int main(int argc, char **argv)
//! {
//!     auricle_model *model = NULL;
//!     auricle_session *session = NULL;
//!     auricle_session_options options;
//!     auricle_result result;
//!     auricle_status status;
//!     int16_t block[480 * 2];                      // 10 ms
//!     float scores[1024];
//!     size_t frames, i, best;
//!
//!     auricle_session_options_init(&options);
//!     options.sample_rate = 48000;
//!     options.channels = 2;
//!     auricle_result_init(&result);
//!     status = auricle_model_load(argc > 1 ? argv[1] : "model.onnx", NULL, &model);
//!     if (status == AURICLE_OK)
//!         status = auricle_session_create(model, &options, &session);
//!     while (status >= AURICLE_OK && status != AURICLE_END) {
//!         frames = fread(block, 2 * sizeof *block, 480, stdin);
//!         if (frames > 0)
//!             status = auricle_session_push_i16(session, block, frames);
//!         else
//!             status = auricle_session_finish(session);
//!         while (status >= AURICLE_OK
//!                && (status = auricle_session_read(session, scores, 1024, &result)) == AURICLE_OK) {
//!             for (best = 0, i = 1; i < auricle_model_class_count(model); i++)
//!                 if (scores[i] > scores[best])
//!                     best = i;
//!             printf("%7.2f s  %s %.2f\n", (double)result.first_frame / 48000,
//!                    auricle_model_label(model, best), (double)scores[best]);
//!         }
//!     }
//!     if (status < 0)
//!         fprintf(stderr, "%s: %s\n", auricle_status_text(status), auricle_last_error());
//!     auricle_session_free(session);
//!     auricle_model_free(model);
//!     return status < 0;
//! }
//! ```
//!
//! CONTENTS, in this order
//!
//! - Statuses: what calls return; auricle_last_error, auricle_status_text
//! - Cancelling: auricle_cancel_create, _request, _free
//! - Providers: what runs a network inside ONNX Runtime
//! - Models: auricle_model_load, _load_memory, _class_count, _label, _sample_rate, _describe, _free
//! - Sample formats: AURICLE_U8 to AURICLE_F64
//! - Whole clips: auricle_classify_f32, auricle_classify
//! - Sessions: auricle_session_create, _reset, _free
//! - Pushing: auricle_session_push_f32 (_i16, _bytes, _planar_f32, _planar_bytes), _gap, _finish
//! - Reading: auricle_session_read, _read_event, _wait, _cancel, _pending
//! - Reading many sessions at once: auricle_read_many
//! - Outputs: auricle_model_output_count, auricle_model_output, _output_name, _output_label, auricle_session_output
//! - ONNX Runtime: auricle_runtime_open, auricle_runtime_open_with
//! - Log: auricle_set_log
//! - Versions: auricle_version, auricle_abi_version
//! - Initialisers: auricle_model_options_init, and one for each other struct
//!
//! CONVENTIONS, valid for every function unless its own text says otherwise
//!
//! Words. A frame is one sample for each channel at one instant. A window is the stretch of audio that one
//! inference sees; the hop is the distance between the starts of two windows. A score is what the model
//! says of one class for one window.
//!
//! Units. Rates are in Hz, lengths and positions of audio in frames, times in seconds where the name ends
//! in _seconds, levels in dBFS, sizes in bytes. Floating-point audio has its full scale at -1.0 to 1.0.
//!
//! Statuses. A function that can fail returns an auricle_status: 0 is success; positive is success of
//! another kind (AURICLE_AGAIN, AURICLE_END, AURICLE_DROPPED, AURICLE_CANCELLED); negative is an error. After an error
//! auricle_last_error() has a sentence with the numbers that fix it, for the thread that saw the error.
//! Any function may also return AURICLE_INTERNAL, and any function that takes a session returns
//! AURICLE_INVALID_STATE after that happened in the session; their texts do not repeat it.
//!
//! Arguments. No pointer may be NULL, except where the text says so, where the count that goes with it is
//! 0, and in the _free functions, where NULL does nothing. A NULL that is not allowed, a count whose bytes
//! would not fit into memory, and a misaligned pointer give AURICLE_INVALID_ARGUMENT. That is as far as a
//! pointer can be checked: what it points at must be what the text says, for as long as the call runs.
//! Outputs are written only on success.
//!
//! Ownership. What a function hands out through a `type **out` belongs to the caller, who ends it with
//! the _free function of that type, once. Strings that a function returns are borrowed: never free them.
//! The library keeps no pointer that it is given, but the log callback, auricle_runtime_options.thread_start, and their
//! user data.
//! A session keeps its own reference to its model: free them in any order.
//!
//! Threads. A `const` handle may be used by any number of threads at once, so models are shared freely. A
//! session has two halves: one thread may push (and call gap and finish) while another one reads (and calls
//! read_event and wait); pending and cancel are for any thread. A program with one thread simply pushes, then
//! reads. A second thread in the same half, and reset while a half is running, get AURICLE_INVALID_STATE
//! and change nothing. free is for when no call runs: that cannot be detected.
//! Pushing is made for audio callbacks: it takes no lock, allocates nothing and makes no system call (but
//! an error puts its sentence together, which allocates). All the work is done by the thread that reads.
//! The library starts no thread, except the ones that auricle_model_options.threads and
//! auricle_runtime_options.shared_threads ask for.
//!
//! Stack. With the bundled network, a thread that loads, reads, waits or classifies needs 64 kB of stack (128 kB on
//! aarch64, the least that Linux gives there), and a thread that only pushes 16 kB. Kernels that other networks use
//! may need more.
//!
//! Floating point. Functions compute in a state of their own and put the caller's back, exception flags
//! included: numbers below the normal range (denormals) count as 0, nothing traps, results are rounded to
//! nearest. So scores do not depend on the caller's state, and a fade to silence costs no more than a tone. The
//! log callback runs in that state too. This holds on x86-64 and AArch64; elsewhere the caller's state is used.
//!
//! Unloading. A program may close the library and open it again, and have several copies of it in one process.
//! It stays in memory nevertheless, once it has opened ONNX Runtime (on Linux, FreeBSD and Android: once it was
//! opened), because ONNX Runtime, which stays open too, calls it. The same goes for a plug-in that the static
//! library is linked into. Before the code of a log callback goes, call auricle_set_log with NULL. The code of a
//! thread_start may not go.
//!
//! fork. The child of a process that had one thread at that moment, none of ONNX Runtime's among it (threads or
//! shared_threads above 1), may use and free what its parent had, and load anew. Any other child may call nothing
//! here until it calls exec: locks that another thread held stay closed in it, and ONNX Runtime's threads are missing.
//!
//! exit. Before exit, or the return from main, end the threads that are inside a call and join them
//! (auricle_cancel_request, auricle_session_cancel): ONNX Runtime's static objects go while they use them.
//! Nothing need be freed before. Destructors of static objects may call nothing here, atexit functions that were
//! registered after the first load may.
//!
//! Signals. A handler may call nothing here. Calls go on when a signal has interrupted them. Neither longjmp nor
//! an exception may leave a callback.
//!
//! Structs. The first member, struct_size, is the size of the struct in the program that made it; the
//! _init function sets it, and everything else to 0, which means "default" for every option. Later
//! versions append members, and the library touches no byte beyond struct_size, so an older program works
//! with a newer library. A newer program works with an older library as long as it leaves the options that
//! the library does not know at 0: they are refused rather than ignored. Results that the library does not
//! know stay as they were. Refused too: a struct_size below that of the first version, or above 4096.
//!
//! Manners. Nothing is printed: see auricle_set_log. No function opens a socket, and none writes a file but into the
//! folder that a provider's option "cache" names. No C++
//! exception, exit or abort crosses this interface; a defect inside the library is caught and returned as
//! AURICLE_INTERNAL.
//!
//! Files. Read are the model, the manifest beside it, ONNX Runtime's library and what that reads of the system
//! (the processor, the time zone); for a provider, the libraries that it needs and its cache. A model reads no other file: one whose weights lie in other files is
//! refused. A path must name a file: pipes, devices and folders are refused, and nothing waits for them.
//!
//! Environment. These variables play a part; ONNX Runtime 1.28.0 for the CPU reads no others.
//! ORT_DYLIB_PATH names ONNX Runtime's library; see auricle_runtime_open. It is ignored in a process that has
//! more rights than who started it (set-user-id, set-group-id, file capabilities).
//! ORT_DISABLE_TELEMETRY is set to 1, unless it has a value, when ONNX Runtime is opened.
//! ORT_LOAD_CONFIG_FROM_MODEL is removed then, because with it ONNX Runtime ignores the settings of its
//! sessions. While the program has set it again, no model loads (AURICLE_RUNTIME).
//! ALLOW_RELEASED_ONNX_OPSET_ONLY=0 lets ONNX Runtime load models for operator sets that are not released.
//! ORT_DISABLE_FLASH_ATTENTION, ORT_GQA_DISABLE_FLASH_ATTENTION, ORT_DISABLE_DECODER_ATTENTION,
//! ORT_MLAS_QKGEMM_S8_APPROX_VNNI, ORT_BEAM_SEARCH_USE_FAST_TOPK and ORT_USE_MLAS_Q4_GEMM_MOE choose between
//! kernels of ONNX Runtime for attention, beam search and mixtures of experts: a model with such operators
//! can be faster or slower, and its scores can differ in their last digits.
#![allow(unsafe_code, non_camel_case_types)]

mod guard;
#[cfg(feature = "jni")]
mod jni;
mod last_error;
mod pointer;
mod structs;

// The sections of the header.
mod cancel;
mod clip;
mod log;
mod model;
mod output;
mod pcm;
mod provider;
mod push;
mod read;
mod read_many;
mod runtime;
mod session;
mod status;
mod version;
