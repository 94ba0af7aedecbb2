// SPDX-License-Identifier: Apache-2.0
package androidx.annotation;

import java.lang.annotation.Annotation;

public @interface OptIn {
  Class<? extends Annotation>[] markerClass();
}
