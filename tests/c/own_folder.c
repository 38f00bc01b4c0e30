/* own_folder FOLDER: the library is opened by a relative path, and the working folder is another one when it looks for
   ONNX Runtime beside itself. FOLDER/lib has both. */
#include <auricle.h>

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    void *library;
    auricle_status (*open)(const char *);
    const char *(*last_error)(void);
    auricle_status status;

    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    library = dlopen("./lib/libauricle.so", RTLD_NOW);
    if (library == NULL || chdir("/") != 0) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    *(void **)&open = dlsym(library, "auricle_runtime_open");
    *(void **)&last_error = dlsym(library, "auricle_last_error");
    status = open(NULL);
    if (status != AURICLE_OK)
        fprintf(stderr, "%d: %s\n", (int)status, last_error());
    return status != AURICLE_OK;
}
