package android.media;

/** As much of Android's class as Microphone.kt names. */
public class MediaRecorder {
    public static final class AudioSource {
        public static final int VOICE_RECOGNITION = 6;
    }
}
