#nullable enable

using System;
using System.Runtime.InteropServices;

namespace Auricle
{
    /// <summary>
    /// Owns what the library has made. The runtime counts the calls that are inside, so what is closed during a call is
    /// freed when that call returns, and a forgotten object is freed by its finaliser.
    /// </summary>
    internal abstract class Handle : SafeHandle
    {
        protected Handle(IntPtr made) : base(IntPtr.Zero, true) => SetHandle(made);

        public override bool IsInvalid => handle == IntPtr.Zero;
    }

    internal sealed class CancelHandle : Handle
    {
        internal CancelHandle(IntPtr made) : base(made) { }

        protected override bool ReleaseHandle()
        {
            Native.auricle_cancel_free(handle);
            return true;
        }
    }

    internal sealed class ModelHandle : Handle
    {
        internal ModelHandle(IntPtr made) : base(made) { }

        protected override bool ReleaseHandle()
        {
            Native.auricle_model_free(handle);
            return true;
        }
    }

    internal sealed class SessionHandle : Handle
    {
        internal SessionHandle(IntPtr made) : base(made) { }

        protected override bool ReleaseHandle()
        {
            Native.auricle_session_free(handle);
            return true;
        }
    }
}
