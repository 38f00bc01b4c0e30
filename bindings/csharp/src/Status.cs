#nullable enable

using System;

namespace Auricle
{
    /// <summary>What became of a call: 0 success, positive success of another kind, negative an error.</summary>
    public enum Status
    {
        /// <summary>Done.</summary>
        Ok = 0,
        /// <summary>Not enough audio for the next window yet.</summary>
        Again = 1,
        /// <summary>The stream was finished and everything has been read.</summary>
        End = 2,
        /// <summary>The ring was full, and frames were lost.</summary>
        Dropped = 3,
        /// <summary>Cancelled from another thread.</summary>
        Cancelled = 4,
        /// <summary>An argument is out of its range, or does not fit another argument.</summary>
        InvalidArgument = -1,
        /// <summary>The call is not allowed now.</summary>
        InvalidState = -2,
        /// <summary>The span is too small; nothing was consumed.</summary>
        BufferTooSmall = -3,
        /// <summary>The clip is too short for the model to see even one row of features.</summary>
        ClipTooShort = -4,
        /// <summary>The memory that the call needs could not be had.</summary>
        Memory = -5,
        /// <summary>A file could not be read.</summary>
        File = -100,
        /// <summary>The model is refused: damaged, not ONNX, reads other files, or needs a newer ONNX Runtime.</summary>
        Model = -101,
        /// <summary>The model has no manifest, or the manifest is not valid.</summary>
        Manifest = -102,
        /// <summary>The manifest and the network contradict each other.</summary>
        Mismatch = -103,
        /// <summary>ONNX Runtime was not found, could not be opened, or is too old.</summary>
        Runtime = -200,
        /// <summary>ONNX Runtime failed while running the network, or a score is not finite.</summary>
        Inference = -201,
        /// <summary>A required provider cannot be had or does not run the network, or has failed while it ran.</summary>
        Provider = -202,
        /// <summary>A defect of Auricle, caught: please report it.</summary>
        Internal = -300,
    }

    /// <summary>A call failed. The message is the library's own sentence, with the numbers that fix it.</summary>
    public sealed class AuricleException : Exception
    {
        internal AuricleException(Status status, string message) : base(message) => Status = status;

        /// <summary>Which kind of failure: a member of the enumeration, or a number that a newer library has added.</summary>
        public Status Status { get; }
    }

    internal static unsafe class Check
    {
        /// <summary>The status of a call that this thread has just made, unless it failed or was cancelled: then throws.</summary>
        internal static Status Thrown(int status)
        {
            if (status < 0 || status == (int)Status.Cancelled)
                Throw((Status)status);
            return (Status)status;
        }

        static void Throw(Status status)
        {
            if (status == Status.Cancelled)
                throw new OperationCanceledException(Text.Of(Native.auricle_status_text((int)status)));
            throw new AuricleException(status, Text.Of(Native.auricle_last_error()));
        }
    }
}
