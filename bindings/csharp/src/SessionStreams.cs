#nullable enable

using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Auricle
{
    public sealed partial class Session
    {
        // How long an asynchronous reader sleeps before it looks again; a push wakes nobody.
        static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

        /// <summary>
        /// The windows as they come, until the stream has ended; read on the thread pool, which is free between two looks
        /// 10 ms apart. Cancel and Dispose end it with OperationCanceledException. The reading half is taken meanwhile.
        /// </summary>
        public async IAsyncEnumerable<Result> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            while (!Ended)
            {
                var (read, result) = await Task.Run(ReadOne, cancellationToken).ConfigureAwait(false);
                if (read)
                    yield return result;
                else if (!Ended)
                    await Task.Delay(Look, cancellationToken).ConfigureAwait(false);
            }
        }

        /// <summary>The events as they come, until the stream has ended. Otherwise as ReadAllAsync.</summary>
        public async IAsyncEnumerable<Event> ReadEventsAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            bool more = true;
            while (more)
            {
                // At the end of the stream the events that it has closed are still to come.
                more = !Ended;
                bool read = more && await Task.Run(ReadNone, cancellationToken).ConfigureAwait(false);
                while (TryNextEvent(out var found))
                    yield return found;
                if (!read && !Ended)
                    await Task.Delay(Look, cancellationToken).ConfigureAwait(false);
            }
        }

        (bool, Result) ReadOne() => Closing(() => (TryRead(out var result), result));

        bool ReadNone() => Closing(() => TryRead(default, out _));

        bool TryNextEvent(out Event found)
        {
            var (read, next) = Closing(() => (TryReadEvent(out var e), e));
            found = next;
            return read;
        }

        // An enumeration that Dispose ends between two calls ends as it does within one.
        T Closing<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (ObjectDisposedException)
            {
                throw new OperationCanceledException("the session was disposed");
            }
        }
    }
}
