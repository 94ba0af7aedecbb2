/* SPDX-License-Identifier: Apache-2.0
 * Classifies a photo, in C: the program of the README and of vitrine.h. */
#include <stdio.h>
#include <vitrine/vitrine.h>

int main(int argc, char** argv) {
  vitrine_model model;
  vitrine_session session;
  vitrine_guess best;
  size_t count;
  if (argc != 3) return fprintf(stderr, "usage: %s MODEL.vit PHOTO\n", argv[0]), 2;
  if (vitrine_model_open(argv[1], &model) || vitrine_session_create(model, NULL, &session) ||
      vitrine_session_set_file(session, argv[2]) || vitrine_session_run(session) ||
      vitrine_session_top(session, &best, 1, &count))
    return fprintf(stderr, "%s\n", vitrine_last_error()), 1;
  if (count == 0) return fprintf(stderr, "the model has no classifier\n"), 1;
  const char* label = vitrine_model_label(model, best.index);  // "" where it has no names
  if (*label == 0) printf("class %d", best.index);
  printf("%s %.1f%%\n", label, 100 * best.probability);
  vitrine_session_close(session);
  vitrine_model_close(model);
  return 0;
}
