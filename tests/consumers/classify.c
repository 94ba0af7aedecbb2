/* SPDX-License-Identifier: Apache-2.0
 * Classifies a photo, in C: the program of the header. */
#include <stdio.h>
#include <vitrine/vitrine.h>

int main(int argc, char** argv) {
  vitrine_model model;
  vitrine_session session;
  vitrine_guess best;
  size_t count;
  if (argc != 3 || vitrine_model_open(argv[1], &model) || vitrine_session_create(model, NULL, &session) ||
      vitrine_session_set_file(session, argv[2]) || vitrine_session_run(session) ||
      vitrine_session_top(session, &best, 1, &count)) {
    fprintf(stderr, "%s\n", vitrine_last_error());
    return 1;
  }
  printf("%s %.1f %%\n", vitrine_model_label(model, best.index), 100 * best.probability);
  vitrine_session_close(session);
  vitrine_model_close(model);
  return 0;
}
