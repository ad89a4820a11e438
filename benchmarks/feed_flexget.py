def beside_flexget(*a): raise NotImplementedError
