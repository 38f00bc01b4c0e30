/* Lists of providers and the progress of a load, through C. Run with the folder of tests/data. */
#include "check.h"

struct told {
    char stages[256];
    int stop; /* at the first call of this stage */
};

static int32_t tell(void *user, const char *stage, float done)
{
    struct told *told = (struct told *)user;

    CHECK(done >= 0 && done <= 1);
    if (!strstr(told->stages, stage) && strlen(told->stages) + strlen(stage) + 2 < sizeof told->stages) {
        strcat(told->stages, stage);
        strcat(told->stages, " ");
    }
    return told->stop && !strcmp(stage, "warm");
}

int main(int argc, char **argv)
{
    size_t size;
    unsigned char *tiny = read_file(argc > 1 ? argv[1] : ".", "tiny.onnx", &size);
    struct told told = {"", 0};
    auricle_model_options options;
    auricle_provider providers[2];
    auricle_model *model = NULL;
    char json[65536];
    size_t needed = 0;

    auricle_model_options_init(&options);
    auricle_provider_init(&providers[0]);
    auricle_provider_init(&providers[1]);
    options.providers = providers;
    options.provider_count = 2;
    options.progress = tell;
    options.user = &told;

    EXPECT(AURICLE_INVALID_ARGUMENT, "providers[0].name is NULL", auricle_model_load_memory(tiny, size, NULL, &options, &model));
    providers[0].name = "cuda";
    providers[1].name = "cpu";
    providers[1].need = 2;
    EXPECT(AURICLE_INVALID_ARGUMENT, "providers[1].need is 2", auricle_model_load_memory(tiny, size, NULL, &options, &model));
    providers[1].need = AURICLE_REQUIRED;
    providers[1].struct_size = 4;
    EXPECT(AURICLE_INVALID_ARGUMENT, "providers[1]->struct_size is 4",
           auricle_model_load_memory(tiny, size, NULL, &options, &model));
    providers[1].struct_size = sizeof *providers;
    providers[1].options_json = "{ \"arenas\": true }";
    EXPECT(AURICLE_INVALID_ARGUMENT, "`arenas`, expected `arena`",
           auricle_model_load_memory(tiny, size, NULL, &options, &model));
    providers[1].options_json = NULL;
    EXPECT(AURICLE_PROVIDER, "provider \"cuda\" cannot be used", auricle_model_load_memory(tiny, size, NULL, &options, &model));
    CHECK(!model);

    providers[0].need = AURICLE_PREFERRED;
    told.stages[0] = 0;
    told.stop = 1;
    EXPECT(AURICLE_CANCELLED, "\"warm\"", auricle_model_load_memory(tiny, size, NULL, &options, &model));
    CHECK(!strcmp(told.stages, "read prepare warm "));
    told.stop = 0;
    CHECK(auricle_model_load_memory(tiny, size, NULL, &options, &model) == AURICLE_OK);
    memset(&options, 0, sizeof options); /* nothing is kept of them */
    CHECK(auricle_model_describe(model, json, sizeof json, &needed) == AURICLE_OK);
    CHECK(strstr(json, "\"used\": false") && strstr(json, "CPUExecutionProvider"));
    auricle_model_free(model);
    free(tiny);
    return DONE();
}
