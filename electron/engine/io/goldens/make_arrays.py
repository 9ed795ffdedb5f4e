"""Arrays as NumPy saves them: stored, deflated, and one alone."""
import os
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
x = (np.arange(24, dtype=np.float32).reshape(4, 2, 3) - 5) / 8
ids = np.arange(8, dtype=np.int64).reshape(4, 2) - 3
labels = np.array([0, 2, 1, 1], np.int32)
np.savez(os.path.join(here, "arrays.npz"), x=x, ids=ids, labels=labels, scalar=np.float64(2.5))
np.savez_compressed(os.path.join(here, "arrays-deflated.npz"), x=x, ids=ids)
np.save(os.path.join(here, "array.npy"), x)
