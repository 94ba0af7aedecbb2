/* SPDX-License-Identifier: Apache-2.0
 * Marks the symbols that the shared library exports. It hides all others. */
#ifndef VITRINE_EXPORT_H_
#define VITRINE_EXPORT_H_

#define VITRINE_API __attribute__((visibility("default")))
#define VITRINE_HIDDEN __attribute__((visibility("hidden")))

#endif /* VITRINE_EXPORT_H_ */
