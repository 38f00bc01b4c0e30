#nullable enable

using System;
using System.Text;

namespace Auricle
{
    /// <summary>UTF-8 with a NUL at its end, to and fro.</summary>
    internal static unsafe class Text
    {
        internal static string Of(byte* text)
        {
            if (text == null)
                return "";
            int length = 0;
            while (text[length] != 0)
                length++;
            return Encoding.UTF8.GetString(text, length);
        }

        internal static byte[]? Bytes(string? text, string name)
        {
            if (text == null)
                return null;
            if (text.IndexOf('\0') >= 0)
                throw new ArgumentException($"{name} has a NUL at {text.IndexOf('\0')}", name);
            var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
            Encoding.UTF8.GetBytes(text, 0, text.Length, bytes, 0);
            return bytes;
        }
    }
}
